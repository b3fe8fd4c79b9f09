import { expect, test } from 'vitest';
import { generalSwitch, openCorals, press, submit } from '../corals';
import { demoPassword, visit } from '../visit';

test('leaving with a draft asks, and a session that ends does not drop it', async () => {
  await visit(
    async (page) => {
      await openCorals(page);
      await page.getByRole('link', { name: 'Overview' }).click();
      await page.getByRole('link', { name: 'Settings', exact: true }).click();
      await press(page, 'Metadata Write');
      await page.getByText('1 unsaved change').waitFor();

      await page.getByRole('link', { name: 'Organizations' }).click();
      await page.getByRole('button', { name: 'Stay' }).click();
      await page.evaluate(() => {
        window.history.back();
      });
      await page.getByRole('button', { name: 'Stay' }).click();
      let asked = 0;
      page.on('dialog', (dialog) => {
        asked += 1;
        void dialog.dismiss();
      });
      await page.evaluate(() => {
        window.location.reload();
      });
      await expect.poll(() => asked).toBe(1);

      await page.context().clearCookies();
      await press(page, 'Metadata Write');
      await press(page, 'Metadata Write');
      const over = page.getByRole('dialog');
      await over.locator('[name="password"]').fill(demoPassword);
      await over.getByRole('button', { name: 'Sign in' }).click();
      await over.waitFor({ state: 'detached' });
      expect(await generalSwitch(page, 'Metadata Write').isChecked()).toBe(true);
      await submit(page);
    },
    { expected: [/beforeunload/] },
  );
});
