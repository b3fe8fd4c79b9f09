import { buffer } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { adminPassword, openAs } from '../session';
import { visit } from '../visit';

const NEW = 229;

test('many users come from CSV, are deactivated together, and go into CSV', async () => {
  await visit(async (page) => {
    await openAs(page, 'admin', adminPassword, '/settings/users');
    await page.getByRole('button', { name: 'Import from CSV' }).click();
    const lines = Array.from({ length: NEW }, (_, index) => `many${String(index)},user,=1+1`);
    const dialog = page.getByRole('dialog', { name: 'Import from CSV' });
    await dialog
      .getByLabel('CSV text')
      .fill(['userName,roles,formula', 'bad name,user,', ...lines].join('\n'));
    await dialog.getByRole('button', { name: 'Check' }).click();
    await dialog.getByText('1 line of 230 cannot be created').waitFor();
    await dialog.getByLabel('CSV text').fill(['userName,roles,formula', ...lines].join('\n'));
    await dialog.getByRole('button', { name: 'Check' }).click();
    await dialog.getByRole('button', { name: 'Create 229 users' }).click();
    await dialog.waitFor({ state: 'detached' });

    await page.getByRole('searchbox', { name: 'Search', exact: true }).fill('many1');
    await page.getByText('111 entries').waitFor();
    await page.getByRole('checkbox', { name: 'Select many1', exact: true }).check();
    await page.getByRole('checkbox', { name: 'Select many10', exact: true }).check();
    await page.getByRole('button', { name: 'Next page' }).click();
    await page
      .getByRole('checkbox', { name: /^Select many/ })
      .first()
      .waitFor();
    await page.getByRole('checkbox', { name: 'Select many10', exact: true }).waitFor({ state: 'detached' });
    await page
      .getByRole('checkbox', { name: /^Select many/ })
      .first()
      .check();
    await page.getByRole('button', { name: 'Deactivate 3 users' }).click();
    const bulk = page.getByRole('dialog', { name: 'Deactivate 3 users' });
    await bulk.getByRole('button', { name: 'Check' }).click();
    await bulk.getByText('3 of 3 can be changed.').waitFor();
    await bulk.getByRole('button', { name: 'Start' }).click();
    await bulk.getByText('3 of 3 entries done').waitFor();
    await bulk.getByRole('button', { name: 'Close' }).last().click();

    await page.goto('/settings/users');
    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Export as CSV' }).click();
    const csv = (await buffer(await (await download).createReadStream())).toString('utf8'); // `text` drops the byte order mark
    const rows = csv.trimEnd().split('\r\n');
    expect(rows).toHaveLength(1 + 46 + NEW);
    expect(rows[0]).toBe('\uFEFFuserName,displayName,email,isServiceAccount,roles,metadata');
    expect(rows).toContain('many7,,,false,user,"{""formula"":""=1+1""}"');
    expect(rows.filter((row) => /"(user;deactivated|deactivated;user)"/.test(row))).toHaveLength(4);
  });
});
