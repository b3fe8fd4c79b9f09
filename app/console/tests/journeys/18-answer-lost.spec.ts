import { expect, test } from 'vitest';
import { openCorals, press, repeat, submitButton } from '../corals';
import { visit } from '../visit';

test('after a lost answer the console asks what is stored, and sends nothing again', async () => {
  await visit(
    async (page) => {
      await openCorals(page);
      const sent: string[] = [];
      let isPassed = false;
      await page.route('**/graphql', async (route) => {
        const body = route.request().postData() ?? '';
        if (isPassed || !body.includes('mutation SubmitAccess')) {
          await route.continue();
          return;
        }
        sent.push(body);
        isPassed = true;
        await repeat(page, body);
        isPassed = false;
        await route.abort();
      });
      await press(page, 'Metadata Write');
      await page.getByText('Everybody signed in gains Metadata Write.').waitFor();
      await submitButton(page).click();
      await page.getByText('It is not known whether this was saved.').waitFor();
      await page.getByRole('button', { name: 'Check' }).click();
      await page.getByText('Saved', { exact: true }).waitFor();
      expect(sent).toHaveLength(1);
    },
    { expected: [/ERR_FAILED/] },
  );
});
