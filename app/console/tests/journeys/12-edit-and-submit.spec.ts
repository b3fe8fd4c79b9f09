import { expect, test } from 'vitest';
import { addGroups, editRow, makeGroups, openCorals, row, submit } from '../corals';
import { visit } from '../visit';

const NAME = 'Reef editors of twelve';

test('a group gets a role until an end, with a preview in words', async () => {
  await makeGroups([NAME]);
  await visit(async (page) => {
    await openCorals(page);
    await addGroups(page, [NAME]);
    await editRow(page, NAME, 'Dataset Data Read', 'In 30 days');
    await page.getByText(new RegExp(`${NAME} \\(5 people\\) gain Dataset Data Read until`)).waitFor();
    await submit(page);
    const check = async (): Promise<void> => {
      await row(page, NAME).waitFor();
      expect(await row(page, NAME).getByText('Dataset Data Read').count()).toBe(1);
      expect(
        await row(page, NAME)
          .getByText(/^Ends \d/)
          .count(),
      ).toBe(1);
    };
    await check();
    await page.reload();
    await check();
  });
});
