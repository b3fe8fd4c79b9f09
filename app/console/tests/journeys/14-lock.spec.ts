import { expect, test } from 'vitest';
import { openCorals, press, submit } from '../corals';
import { openAs } from '../session';
import { demoPassword, visit } from '../visit';

const REASON = 'Under review until Friday';

test('a lock has a reason, stops edits, and leaves access open', async () => {
  await visit(async (page) => {
    const id = await openCorals(page);
    const lock = page.getByRole('region', { name: 'Lock', exact: true });
    await lock.getByRole('button', { name: 'Lock', exact: true }).click();
    await lock.locator('[aria-invalid="true"]').waitFor();
    await lock.getByRole('textbox', { name: 'Reason' }).fill(REASON);
    await lock.getByRole('button', { name: 'Lock', exact: true }).click();
    await lock.getByRole('button', { name: 'Unlock' }).waitFor();

    await visit(async (other) => {
      await openAs(other, 'felix', demoPassword, `/resources/${id}`);
      await other.getByText(REASON).waitFor();
    });
    await press(page, 'Metadata Write');
    await submit(page);

    await lock.getByRole('textbox', { name: 'Reason' }).fill('The review is done');
    await lock.getByRole('button', { name: 'Unlock' }).click();
    await lock.getByRole('button', { name: 'Lock', exact: true }).waitFor();
    const entries = await lock.getByRole('listitem').allTextContents();
    expect(entries.map((text) => text.split(' ')[0])).toEqual(['Unlocked', 'Locked']);

    await page.goto(`/resources/${id}`);
    await page.getByRole('button', { name: 'Edit' }).waitFor();
  });
});
