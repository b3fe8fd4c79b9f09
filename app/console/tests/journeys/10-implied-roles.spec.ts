import { expect, test } from 'vitest';
import { generalSwitch, openCorals, press, submitButton } from '../corals';
import { visit } from '../visit';

test('implied roles are ticked and greyed, and the way back is no change', async () => {
  await visit(async (page) => {
    await openCorals(page);
    await press(page, 'Dataset Data Write');
    for (const role of ['Metadata Read', 'Dataset Data Read']) {
      expect(await generalSwitch(page, role).isChecked()).toBe(true);
      expect(await generalSwitch(page, role).isDisabled()).toBe(true);
    }
    expect(await generalSwitch(page, 'Metadata Write').isChecked()).toBe(false);
    const region = page.getByRole('region', { name: 'General Access' });
    expect(await region.getByText('comes with Dataset Data Write').count()).toBe(1);
    await page.getByText('1 unsaved change').waitFor();

    await press(page, 'Metadata Write');
    await press(page, 'Dataset Data Write');
    await press(page, 'Dataset Data Read');
    await press(page, 'Metadata Write');
    await press(page, 'Dataset Data Read');
    await submitButton(page).waitFor({ state: 'detached' });
  });
});

test('data for everybody wants a tick of its own', async () => {
  await visit(async (page) => {
    await openCorals(page);
    await press(page, 'Dataset Data Write');
    const tick = page.getByRole('checkbox', { name: /Everybody signed in will have Dataset Data Write/ });
    await tick.waitFor();
    expect(await submitButton(page).isDisabled()).toBe(true);
    await tick.check();
    expect(await submitButton(page).isEnabled()).toBe(true);
  });
});
