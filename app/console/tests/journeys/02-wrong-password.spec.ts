import { expect, test } from 'vitest';
import { adminPassword, submitSignIn } from '../session';
import { visit } from '../visit';

test('after a wrong password the name stays, and the password has the focus', async () => {
  await visit(async (page) => {
    await page.goto('/login');
    await submitSignIn(page, 'admin', 'not-the-password');

    await page.getByRole('alert').filter({ hasText: 'incorrect' }).waitFor();
    expect(await page.locator('[name="userName"]').inputValue()).toBe('admin');
    await page.waitForFunction(() => document.activeElement?.getAttribute('name') === 'password');
  });
});

test('after too many attempts the button counts down', async () => {
  await visit(
    async (page) => {
      await page.goto('/login');
      await page.getByRole('main').getByLabel('User name').waitFor();
      await page.route('**/graphql', (route) =>
        route.fulfill({ status: 429, headers: { 'Retry-After': '2' } }),
      );
      await submitSignIn(page, 'admin', 'not-the-password');

      const waiting = page.getByRole('button', { name: /^Wait \d seconds?$/ });
      await waiting.waitFor();
      expect(await waiting.isDisabled()).toBe(true);

      await page.unroute('**/graphql');
      await page.getByRole('main').getByRole('button', { name: 'Sign in' }).waitFor();
      await submitSignIn(page, 'admin', adminPassword);
      await page.waitForURL((url) => url.pathname === '/');
    },
    { expected: [/429/] },
  );
});
