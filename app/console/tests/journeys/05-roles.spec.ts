import { expect, test } from 'vitest';
import type { Page } from 'playwright-core';
import { adminPassword, openAs } from '../session';
import { visit } from '../visit';

const editor = (page: Page) => page.getByRole('region', { name: 'editor', exact: true });

async function setRole(page: Page, isHeld: boolean): Promise<void> {
  await page.goto('/settings/users/luca');
  const roles = page.getByRole('combobox', { name: 'Roles' });
  await roles.click();
  await page.getByRole('option', { name: 'editor' }).click();
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Save roles' }).click();
  await page.getByRole('link', { name: 'editor' }).waitFor({ state: isHeld ? 'visible' : 'detached' });
}

test('a role is made, held, and deleted when nobody holds it', async () => {
  await visit(async (page) => {
    await openAs(page, 'admin', adminPassword, '/settings/roles');
    await page.getByRole('button', { name: 'Add role' }).click();
    const form = page.getByRole('dialog', { name: 'Add role' });
    await form.getByLabel('Name').fill('editor');
    await form.getByRole('switch', { name: 'View Users' }).check();
    await form.getByRole('switch', { name: 'View Groups' }).check();
    await form.getByRole('button', { name: 'Create role' }).click();
    await editor(page).getByText('View Groups').waitFor();
    expect(await page.getByRole('button', { name: 'Delete admin' }).count()).toBe(0);

    await setRole(page, true);
    await page.goto('/settings/roles');
    await page.getByRole('button', { name: 'Delete editor' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('1 user holds it.').waitFor();
    await dialog.getByRole('button', { name: 'Delete' }).click();
    await dialog.getByRole('alert').waitFor();

    await setRole(page, false);
    await page.goto('/settings/roles');
    await page.getByRole('button', { name: 'Delete editor' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await editor(page).waitFor({ state: 'detached' });
  });
});
