import type { Page } from 'playwright-core';

export const adminPassword = 'password';

/** What the browser notes when the session of a request is over. */
export const REFUSED = /status of 401/;

/** Signs in with the form of the page that is open, and waits for the page that it leads to. */
export async function submitSignIn(page: Page, userName: string, password: string): Promise<void> {
  const main = page.getByRole('main');
  await main.getByLabel('User name').fill(userName);
  await main.locator('[name="password"]').fill(password);
  await main.getByRole('button', { name: 'Sign in' }).click();
}

/** Opens an address as this user. */
export async function openAs(page: Page, userName: string, password: string, path: string): Promise<void> {
  await page.goto(`/login?returnTo=${encodeURIComponent(path)}`);
  await submitSignIn(page, userName, password);
  await page.waitForURL(`**${path}`);
}
