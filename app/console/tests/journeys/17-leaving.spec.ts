import { expect, test } from 'vitest';
import { ask, generalSwitch, openCorals, press, submit } from '../corals';
import { openAs, REFUSED } from '../session';
import { demoPassword, visit } from '../visit';

test('leaving with a draft asks, and a session that ends does not drop it', async () => {
  await visit(
    async (page) => {
      await openCorals(page);
      await page.getByRole('link', { name: 'Overview' }).click();
      await page.getByRole('link', { name: 'Settings', exact: true }).click();
      await press(page, 'Metadata Write');
      await page.getByText('1 unsaved change').waitFor();

      await page.getByRole('link', { name: 'Organizations' }).click();
      await page.getByRole('button', { name: 'Stay' }).click();
      await page.evaluate(() => {
        window.history.back();
      });
      await page.getByRole('button', { name: 'Stay' }).click();
      let requests = 0;
      page.on('dialog', (dialog) => {
        requests += 1;
        void dialog.dismiss();
      });
      await page.evaluate(() => {
        window.location.reload();
      });
      await expect.poll(() => requests).toBe(1);

      await page.context().clearCookies();
      await press(page, 'Metadata Write');
      await press(page, 'Metadata Write');
      const over = page.getByRole('dialog');
      await over.locator('[name="password"]').fill(demoPassword);
      await over.getByRole('button', { name: 'Sign in' }).click();
      await over.waitFor({ state: 'detached' });
      expect(await generalSwitch(page, 'Metadata Write').isChecked()).toBe(true);
      await submit(page);
    },
    { expected: [/beforeunload/, REFUSED] },
  );
});

test('a session that ends while a dialog is filled in leaves the dialog as it is', async () => {
  await visit(
    async (page) => {
      await openAs(page, 'ines', demoPassword, '/organizations/marine-science');
      await page.getByRole('tab', { name: 'Members' }).click();
      await page.getByRole('button', { name: 'Add member' }).click();
      const dialog = page.getByRole('dialog', { name: /^Add a member/ });
      const person = dialog.getByRole('combobox', { name: 'User name' });
      await person.fill('nobody-here');
      await page.waitForTimeout(700); // the suggestions are read as the person who is still signed in
      await page.context().clearCookies();
      await dialog.getByRole('button', { name: 'Add member' }).click();
      const over = page.getByRole('dialog').filter({ has: page.locator('[name="password"]') });
      await over.locator('[name="password"]').fill(demoPassword);
      await over.getByRole('button', { name: 'Sign in' }).click();
      await over.waitFor({ state: 'detached' });
      expect(await person.inputValue()).toBe('nobody-here');
      expect(await dialog.getByRole('alert').count()).toBe(0);
    },
    { expected: [REFUSED] },
  );
});

test('what one user typed is never saved as another who signed in elsewhere', async () => {
  await visit(
    async (page) => {
      await openAs(page, 'tomasz', demoPassword, '/account');
      const displayName = page.getByLabel('Display name');
      await displayName.fill('Typed by Tomasz');
      // As another tab of the browser does, whose sign-in tells this one nothing.
      await ask(page, 'mutation ($input: LoginInput!) { login(input: $input) { errors { code } } }', {
        input: { userName: 'luca', password: demoPassword },
      });
      const before = await ask<Own>(page, OWN);

      await page.getByRole('button', { name: 'Save profile' }).click();

      const over = page.getByRole('dialog').filter({ has: page.locator('[name="password"]') });
      await over.getByText('tomasz').first().waitFor();
      expect(await ask<Own>(page, OWN)).toEqual(before);

      await over.locator('[name="password"]').fill(demoPassword);
      await over.getByRole('button', { name: 'Sign in' }).click();
      await over.waitFor({ state: 'detached' });
      expect(await displayName.inputValue()).toBe('Typed by Tomasz');
      expect((await ask<Own>(page, OWN)).viewer.user.userName).toBe('tomasz');
    },
    { expected: [REFUSED] },
  );
});

const OWN = '{ viewer { user { userName displayName } } }';

interface Own {
  readonly viewer: { readonly user: { readonly userName: string; readonly displayName: string } };
}
