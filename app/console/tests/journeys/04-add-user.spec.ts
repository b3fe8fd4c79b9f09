import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { adminPassword, openAs } from '../session';
import { visit } from '../visit';

const LOST = { expected: [/ERR_FAILED/] };

/** Lets the next change of this name be made, and loses its answer and what is read after it, as a server that stops. */
async function loseAnswer(page: Page, name: string): Promise<void> {
  let state: 'waiting' | 'lost' | 'over' = 'waiting';
  await page.route('**/graphql', async (route) => {
    const isChange = (route.request().postData() ?? '').includes(`mutation ${name}`);
    if (isChange && state === 'waiting') {
      state = 'lost';
      await route.fetch();
    } else if (isChange) {
      state = 'over';
    }
    await (state === 'lost' ? route.abort() : route.continue());
  });
}

test('a user is added with two roles, and can sign in', async () => {
  await visit(async (page) => {
    await openAs(page, 'admin', adminPassword, '/settings/users');
    await page.getByRole('button', { name: 'Add User', exact: true }).click();
    const form = page.getByRole('dialog', { name: 'Add User' });
    await form.getByLabel('User name').fill('New User');
    await form.locator('[name="password"]').fill('correct-horse-42');
    await form.getByRole('button', { name: 'Create' }).click();

    await form.getByText('A user name must be').waitFor();
    await page.waitForFunction(() => document.activeElement?.getAttribute('name') === 'userName');

    await form.getByLabel('User name').fill('newuser');
    await form.getByLabel('Email').fill('newuser@example.com');
    await form.getByRole('combobox', { name: 'Roles' }).click();
    await page.getByRole('option', { name: 'auditor' }).click();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Stay' }).click();
    await loseAnswer(page, 'CreateUser');
    await form.getByRole('button', { name: 'Create' }).click();
    await form.getByText('it is not known whether this was saved').waitFor();
    await form.getByRole('button', { name: 'Create' }).click();
    await form.waitFor({ state: 'detached' });

    await page.getByRole('searchbox', { name: 'Search', exact: true }).fill('newuser');
    const row = page.getByRole('row', { name: /newuser@example\.com/ });
    await row.waitFor();
    expect(await row.innerText()).toMatch(/auditor, user|user, auditor/);

    await row.getByRole('link', { name: 'newuser' }).click();
    await page.getByRole('tab', { name: 'Audit' }).click();
    await page
      .getByRole('row', { name: /Create user/ })
      .getByRole('link', { name: 'newuser' })
      .waitFor();
  }, LOST);
  await visit(async (page) => {
    await openAs(page, 'newuser', 'correct-horse-42', '/account');
    await page.getByRole('heading', { name: 'My account' }).waitFor();
  });
});
