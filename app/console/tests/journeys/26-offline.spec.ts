import { expect, test } from 'vitest';
import { openAs } from '../session';
import { demoPassword, visit } from '../visit';

test('without a network the console shows what it has read, and changes are off', async () => {
  await visit(
    async (page) => {
      await openAs(page, 'ines', demoPassword, '/resources');
      await page.getByRole('table').waitFor();
      const rows = await page.getByRole('row').count();
      await page.getByRole('link', { name: 'Groups', exact: true }).click();
      await page.waitForURL('**/groups');
      await page.getByRole('heading', { level: 1 }).waitFor();

      await page.context().setOffline(true);
      await page.getByText('You are offline.').waitFor();
      await page.getByRole('link', { name: 'Resources', exact: true }).click();
      await page.getByRole('table').waitFor();
      expect(await page.getByRole('row').count()).toBe(rows);

      await page.context().setOffline(false);
      await page.getByText('You are offline.').waitFor({ state: 'detached' });
      await page.getByRole('button', { name: 'Create resource' }).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByLabel('Name').first().fill('Corals');
      await page.context().setOffline(true);
      await page.getByText('You are offline.').waitFor();
      expect(await dialog.locator('[type="submit"]').isDisabled()).toBe(true);
      await page.context().setOffline(false);
      await expect.poll(() => dialog.locator('[type="submit"]').isEnabled()).toBe(true);
    },
    { expected: [/ERR_INTERNET_DISCONNECTED/] },
  );
});
