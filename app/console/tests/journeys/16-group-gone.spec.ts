import { expect, test } from 'vitest';
import { addGroups, ask, editRow, makeGroups, openCorals, row, submitButton } from '../corals';
import { openAs } from '../session';
import { demoPassword, visit } from '../visit';

const [GONE, STAYS] = ['Reef editors of sixteen', 'Reef readers of sixteen'] as const;

test('the message about a deleted group is at its row, and nothing is written', async () => {
  const [gone] = await makeGroups([GONE, STAYS]);
  await visit(async (page) => {
    const id = await openCorals(page);
    await addGroups(page, [GONE, STAYS]);
    await editRow(page, STAYS, 'Metadata Write');
    await page.getByText(`${STAYS} (5 people) gain Metadata Write.`).waitFor();
    await visit(async (other) => {
      await openAs(other, 'beatriz', demoPassword, '/groups');
      await ask(
        other,
        'mutation ($id: ID!) { deleteGroup(input: { group: { id: $id } }) { errors { message } } }',
        {
          id: gone,
        },
      );
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
