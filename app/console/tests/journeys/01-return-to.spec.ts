import { expect, test } from 'vitest';
import { adminPassword, submitSignIn } from '../session';
import { address, visit } from '../visit';

test('who is not signed in is led to the sign-in, and back', async () => {
  await visit(async (page) => {
    await page.goto('/settings/users');
    await page.waitForURL('**/login?returnTo=*');
    await submitSignIn(page, 'admin', adminPassword);

    await page.waitForURL('**/settings/users');
    await page.getByRole('table', { name: 'Users' }).waitFor();
  });
});

test.each(['//evil.example', '/\\evil', 'javascript:alert(1)'])(
  'the address %s leads to the start page',
  async (returnTo) => {
    await visit(async (page) => {
      await page.goto(`/login?returnTo=${encodeURIComponent(returnTo)}`);
      await submitSignIn(page, 'admin', adminPassword);

      await page.waitForURL((url) => url.pathname !== '/login');
      expect(page.url()).toBe(`${address}/`);
    });
  },
);
