import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { addGroups, ask, editRow, makeGroups, openCorals, row, submitButton } from '../corals';
import { openAs } from '../session';
import { demoPassword, visit } from '../visit';

const [GONE, STAYS] = ['Reef editors of sixteen', 'Reef readers of sixteen'] as const;

/** Deletes a group of the list. What was typed to confirm it is no input that is asked about. */
async function deleteGroup(page: Page, name: string): Promise<void> {
  await page.getByRole('link', { name, exact: true }).first().click();
  await page.getByRole('button', { name: 'Delete', exact: true }).click();
  const dialog = page.getByRole('dialog', { name: `Delete ${name}?` });
  await dialog.getByText('It has no roles on any resource.').waitFor();
  await dialog.getByLabel(/^Type .* to confirm$/).fill(new URL(page.url()).pathname.split('/').at(-1) ?? '');
  await dialog.getByRole('button', { name: 'Delete group' }).click();
  await page.waitForURL(/\/groups$/);
  await page.getByText(`${name} is deleted.`).first().waitFor();
}

test('the message about a deleted group is at its row, and nothing is written', async () => {
  await makeGroups([GONE, STAYS]);
  await visit(async (page) => {
    const id = await openCorals(page);
    await addGroups(page, [GONE, STAYS]);
    await editRow(page, STAYS, 'Metadata Write');
    await page.getByText(`${STAYS} (5 people) gain Metadata Write.`).waitFor();
    await visit(async (other) => {
      await openAs(other, 'beatriz', demoPassword, `/groups?q=${GONE.replaceAll(' ', '+')}`);
      await deleteGroup(other, GONE);
    });
    await submitButton(page).click();
    await row(page, GONE).getByRole('alert').waitFor();
    expect(await row(page, STAYS).getByRole('alert').count()).toBe(0);
    const { resource } = await ask<{ resource: { access: { groups: object[] } } }>(
      page,
      'query ($id: ID!) { resource(by: { id: $id }) { access { groups { roles } } } }',
      { id },
    );
    expect(resource.access.groups).toEqual([]);
    await page.getByRole('button', { name: `Remove ${GONE}` }).click();
    await page.getByText('1 unsaved change').waitFor();
  });
});
