import { expect, test } from 'vitest';
import { visit } from '../visit';

test('the sign-in page opens for everybody', async () => {
  await visit(async (page) => {
    await page.goto('/login');

    await page.getByRole('heading', { level: 1 }).waitFor();
    await page.getByRole('textbox', { name: 'Password' }).waitFor();
    expect(await page.getByRole('main').getByRole('button', { name: 'Sign in' }).isVisible()).toBe(true);
    expect(new URL(page.url()).pathname).toBe('/login');
  });
});
