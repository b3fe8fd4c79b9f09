import { expect, test } from 'vitest';
import {
  addGroups,
  ask,
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

test('a membership that somebody else has changed meanwhile is not overwritten', async () => {
  await visit(async (page) => {
    await openAs(page, 'ines', demoPassword, '/organizations/marine-science');
    await page.getByRole('tab', { name: 'Members' }).click();
    await page.getByRole('button', { name: 'Edit amara' }).click();
    const dialog = page.getByRole('dialog', { name: /amara/ });
    const level = dialog.getByRole('combobox', { name: 'Level' });
    await level.click();
    await page.getByRole('listbox', { name: 'Level' }).getByRole('option', { name: 'Admin' }).click();
    await ask(
      page,
      `mutation ($input: UpdateOrgMemberInput!) { updateOrgMember(input: $input) { errors { message } } }`,
      { input: { org: { slug: 'marine-science' }, user: { userName: 'amara' }, level: 'READ_ONLY' } },
    );

    await dialog.getByRole('button', { name: 'Save' }).click();

    await dialog.getByText('Somebody else changed this meanwhile', { exact: false }).waitFor();
    expect(await level.inputValue()).toBe('Admin');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.waitFor({ state: 'detached' });
  });
});
