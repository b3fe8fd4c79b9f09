import { expect, test } from 'vitest';
import { generalSwitch, openCorals, press, submit } from '../corals';
import { openAs } from '../session';
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
    { expected: [/beforeunload/] },
  );
});

test('a session that ends while a dialog is filled in leaves the dialog as it is', async () => {
  await visit(async (page) => {
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
  });
});
