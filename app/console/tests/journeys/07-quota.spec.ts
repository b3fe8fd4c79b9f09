import { expect, test } from 'vitest';
import { adminPassword, openAs } from '../session';
import { demoPassword, visit } from '../visit';

test('a quota that the administrator sets is what the user sees', async () => {
  await visit(async (page) => {
    await openAs(page, 'admin', adminPassword, '/settings/users/luca?tab=attributes');
    const quota = page.getByRole('textbox', { name: 'Quota in MB' });
    await quota.fill('-5');
    await page.getByText('Type a whole number of megabytes.').waitFor();
    expect(await quota.getAttribute('aria-invalid')).toBe('true');
    await quota.fill('10240');
    expect(await quota.getAttribute('aria-invalid')).toBeNull();
    await page.getByRole('button', { name: 'Save quota' }).click();
    await page.getByRole('main').getByText('10 GiB').waitFor();
  });
  await visit(async (page) => {
    await openAs(page, 'luca', demoPassword, '/account?tab=storage');
    await page.getByRole('banner').getByText('10 GiB').waitFor();
    await page.getByRole('main').getByText('10 GiB').hover();
    await page.getByRole('tooltip', { name: '10,737,418,240 bytes' }).waitFor();
  });
});
