import { expect, test } from 'vitest';
import {
  addGroups,
  editRow,
  makeGroups,
  openCorals,
  openSettings,
  row,
  submit,
  submitButton,
} from '../corals';
import { openAs } from '../session';
import { demoPassword, visit } from '../visit';

const [FIRST, SECOND] = ['Reef editors of fifteen', 'Reef readers of fifteen'] as const;

test('edits of two browsers are both kept, and an overlap is chosen', async () => {
  await makeGroups([FIRST, SECOND]);
  await visit(async (page) => {
    const id = await openCorals(page);
    await addGroups(page, [FIRST, SECOND]);
    await submit(page);
    await visit(async (other) => {
      await openAs(other, 'ruth', demoPassword, '/resources');
      await openSettings(other, id);
      await editRow(other, FIRST, 'Metadata Write');
      await editRow(page, SECOND, 'Dataset Data Write');
      await page.getByText(/gain Dataset Data Write/).waitFor();
      await submit(other);
      await submitButton(page).click();
      await page.getByText('Another user changed this meanwhile', { exact: false }).waitFor();
      expect(await page.getByText('Changed by both').count()).toBe(0);
      await submit(page);
      expect(await row(page, FIRST).getByText('Metadata Write').count()).toBe(1);
      expect(await row(page, SECOND).getByText('Dataset Data Write').count()).toBe(1);

      await other.reload();
      await editRow(other, FIRST, 'Metadata Write');
      await editRow(page, FIRST, 'Dataset Data Read');
      await page.getByText(/gain Dataset Data Read/).waitFor();
      await submit(other);
      await submitButton(page).click();
      await row(page, FIRST).getByText('Changed by both').waitFor();
      expect(await submitButton(page).isDisabled()).toBe(true);
      await page.getByRole('button', { name: `Keep my change of ${FIRST}` }).click();
      await submit(page);
      expect(await row(page, FIRST).getByText('Metadata Write and Dataset Data Read').count()).toBe(1);
    });
  });
});
