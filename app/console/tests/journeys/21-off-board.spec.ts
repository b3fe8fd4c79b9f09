import { test } from 'vitest';
import { adminPassword, openAs } from '../session';
import { demoPassword, visit } from '../visit';

test('who leaves is deactivated in one act, and a successor owns what was theirs', async () => {
  await visit(async (page) => {
    await openAs(page, 'admin', adminPassword, '/settings/users/elif/off-board');
    await page.getByRole('heading', { name: 'Owns 1 organization' }).waitFor();
    await page.getByRole('heading', { name: 'Owns 5 resources' }).waitFor();
    await page.getByRole('heading', { name: 'Member of 2 groups' }).waitFor();

    await visit(async (leaver) => {
      await openAs(leaver, 'elif', demoPassword, '/organizations');

      await page.getByRole('combobox', { name: 'Successor' }).fill('luca');
      await page.getByRole('button', { name: 'Check' }).click();
      const dialog = page.getByRole('dialog', { name: 'Off-board elif' });
      await dialog.getByRole('button', { name: 'Start' }).click();
      await dialog.getByText('9 of 9 entries done').waitFor();
      await dialog.getByRole('button', { name: 'Close' }).last().click();
      await page.getByRole('heading', { name: 'Owns 0 resources' }).waitFor();

      await leaver.getByRole('link', { name: 'Groups' }).click();
      await leaver.waitForURL('**/login?returnTo=*');
    });

    await page.goto('/settings/users/luca?tab=belongs');
    await page.getByRole('link', { name: 'National Herbarium' }).waitFor();
    await page.goto('/settings/users/elif?tab=audit');
    await page.getByRole('cell', { name: 'Deactivate user' }).waitFor();
  });
});

test('who leaves is deleted in one act', async () => {
  await visit(async (page) => {
    await openAs(page, 'admin', adminPassword, '/settings/users/felix/off-board');
    await page.getByRole('radio', { name: /^Delete/ }).check();
    await page.getByRole('button', { name: 'Check' }).click();
    const dialog = page.getByRole('dialog', { name: 'Delete felix?' });
    await dialog.getByLabel('Type felix to confirm').fill('felix');
    await dialog.getByRole('button', { name: 'Delete felix' }).click();

    await page.waitForURL('**/settings/users');
    await page.getByText('felix is deleted.').waitFor();
  });
});
