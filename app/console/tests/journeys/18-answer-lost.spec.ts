import { expect, test } from 'vitest';
import { openCorals, press, submitButton } from '../corals';
import { visit } from '../visit';

test('after a lost answer the console asks what is stored, and sends nothing again', async () => {
  await visit(
    async (page) => {
      await openCorals(page);
      let submits = 0;
      await page.route('**/graphql', async (route) => {
        if (route.request().postData()?.includes('mutation SubmitAccess') === true) {
          submits += 1;
          await route.fetch();
          await route.abort();
        } else {
          await route.continue();
        }
      });
      await press(page, 'Metadata Write');
      await page.getByText('Everybody signed in gains Metadata Write.').waitFor();
      await submitButton(page).click();
      await page.getByText('It is not known whether this was saved.').waitFor();
      await page.getByRole('button', { name: 'Check' }).click();
      await page.getByText('Saved', { exact: true }).waitFor();
      expect(submits).toBe(1);
    },
    { expected: [/ERR_FAILED/] },
  );
});
