import { expect, test } from 'vitest';
import { ask, openCorals, press, submit } from '../corals';
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
    await page.getByRole('button', { name: 'Edit' }).click();
    const form = page.getByRole('dialog');
    await form.getByLabel('Name').fill('Corals of the north');
    await ask(
      page,
      `mutation ($id: ID!) {
        lockResource(input: { resource: { id: $id }, reason: "Counted again" }) { errors { message } }
      }`,
      { id },
    );
    await form.getByRole('button', { name: 'Save' }).click();
    await form.getByRole('note').getByText('Counted again').waitFor();
    expect(await form.getByLabel('Name').inputValue()).toBe('Corals of the north');
  });
});
