import { expect, test } from 'vitest';
import { openCorals } from '../corals';
import { visit } from '../visit';

const ROLES = ['Metadata Read', 'Metadata Write', 'Dataset Data Read', 'Dataset Data Write', 'Admin'];

test('General Access shows all roles with their descriptions and switches', async () => {
  await visit(async (page) => {
    await openCorals(page);
    const table = page.getByRole('table', { name: 'General Access' });
    for (const heading of ['Role', 'Description', 'Granted']) {
      expect(await table.getByRole('columnheader', { name: heading, exact: true }).count()).toBe(1);
    }
    expect(await table.getByRole('rowheader').allTextContents()).toEqual(ROLES);
    const granted = await Promise.all(
      ROLES.map((role) => table.getByRole('switch', { name: role, exact: true }).isChecked()),
    );
    expect(granted).toEqual([true, false, true, false, false]);
    expect(await table.getByText('Download the dataset files.').count()).toBe(1);

    // Where the system sets the colors, a switch still shows where it is and whether it is on.
    await page.emulateMedia({ forcedColors: 'active', reducedMotion: 'reduce' });
    const tracks = await table.locator('.mantine-Switch-track').evaluateAll((all) =>
      all.map((track) => {
        const { backgroundColor, borderTopStyle } = getComputedStyle(track);
        return `${backgroundColor} ${borderTopStyle}`;
      }),
    );
    const [on, off] = tracks;
    expect(tracks).toEqual([on, off, on, off, off]);
    expect(on).not.toBe(off);
    expect(off).toMatch(/ solid$/);
  });
});
