import { expect, test } from 'vitest';
import {
  addGroups,
  generalSwitch,
  makeGroups,
  openCorals,
  press,
  row,
  submit,
  submitButton,
} from '../corals';
import { visit } from '../visit';

const NAME = 'Reef editors of thirteen';

test('a row is struck through until it is submitted, and Revert Changes brings all back', async () => {
  await makeGroups([NAME]);
  await visit(async (page) => {
    await openCorals(page);
    await addGroups(page, [NAME]);
    await submit(page);

    await page.getByRole('button', { name: `Remove ${NAME}` }).click();
    await row(page, NAME).getByText('Will be removed').waitFor();
    await page.getByRole('button', { name: `Undo the removal of ${NAME}` }).click();
    await submitButton(page).waitFor({ state: 'detached' });

    await page.getByRole('button', { name: `Remove ${NAME}` }).click();
    await submit(page);
    await row(page, NAME).waitFor({ state: 'detached' });

    await press(page, 'Metadata Write');
    await page.getByRole('button', { name: 'Revert Changes' }).click();
    await submitButton(page).waitFor({ state: 'detached' });
    expect(await generalSwitch(page, 'Metadata Write').isChecked()).toBe(false);

    await page.goto('/groups?q=thirteen');
    await page.getByText(NAME).first().waitFor();
  });
});
