import type { Locator, Page } from 'playwright-core';
import { expect } from 'vitest';

const MOST_STEPS = 150;

export const isFocused = (target: Locator): Promise<boolean> =>
  target.evaluate((element) => element === document.activeElement);

/** Presses Tab until this has the focus. */
export async function tabTo(page: Page, target: Locator): Promise<void> {
  await target.waitFor();
  for (let step = 0; step < MOST_STEPS; step += 1) {
    if (await isFocused(target)) {
      return;
    }
    await page.keyboard.press('Tab');
  }
  throw new Error(`Tab does not lead to ${target.toString()}`);
}

/** Goes to this with Tab, and presses a key there. */
export async function press(page: Page, target: Locator, key: string): Promise<void> {
  await tabTo(page, target);
  await page.keyboard.press(key);
}

/** Goes to a field with Tab, and types in the place of what is there. */
export async function type(page: Page, target: Locator, text: string): Promise<void> {
  await press(page, target, 'Control+A');
  await page.keyboard.type(text);
}

/** Opens a select with the arrow key, and takes an option of it. */
export async function choose(page: Page, target: Locator, option: string | RegExp): Promise<void> {
  await press(page, target, 'ArrowDown');
  const wanted = page.getByRole('option', { name: option }).locator('visible=true').first();
  await wanted.waitFor();
  for (let step = 0; step < MOST_STEPS; step += 1) {
    if ((await wanted.getAttribute('data-combobox-selected')) !== null) {
      break;
    }
    await page.keyboard.press('ArrowDown');
  }
  await page.keyboard.press('Enter');
}

/** Waits until this has the focus. */
export async function expectFocus(target: Locator): Promise<void> {
  await expect.poll(() => isFocused(target), { message: `focus of ${target.toString()}` }).toBe(true);
}

/** Signs in with the keys alone. */
export async function signInByKeys(page: Page, userName: string, password: string, path: string) {
  await page.goto(`/login?returnTo=${encodeURIComponent(path)}`);
  const main = page.getByRole('main');
  await type(page, main.getByLabel('User name'), userName);
  await type(page, main.locator('[name="password"]'), password);
  await page.keyboard.press('Enter');
  await page.waitForURL(`**${path}`);
}
