import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { generalSwitch, makeGroups, onlyNamed, openCorals, submitButton } from '../corals';
import { isFocused, press } from '../keys';
import { visit } from '../visit';

const NAMES = ['Divers one', 'Divers two'] as const;
/** Submits with the keys, and waits until it is saved. */
async function submit(page: Page): Promise<void> {
  await expect.poll(() => submitButton(page).isEnabled()).toBe(true);
  await page.keyboard.press('Control+Enter');
  await submitButton(page).waitFor({ state: 'detached' });
}

test('the access panel works by keyboard alone, on a narrow screen', async () => {
  await makeGroups(NAMES, []);
  await visit(
    async (page) => {
      await openCorals(page);
      await press(page, generalSwitch(page, 'Metadata Write'), 'Space');
      await submit(page);
      expect(await generalSwitch(page, 'Metadata Write').isChecked()).toBe(true);

      const add = page.getByRole('button', { name: 'Add group' });
      await press(page, add, 'Enter');
      const dialog = page.getByRole('dialog');
      for (const name of NAMES) {
        await press(page, dialog.getByRole('searchbox'), 'Control+A');
        await page.keyboard.type(name);
        await onlyNamed(dialog, name);
        await press(page, dialog.getByRole('checkbox', { name: `Select ${name}` }), 'Space');
      }
      await press(page, dialog.getByRole('button', { name: /^Add/ }), 'Enter');
      await dialog.waitFor({ state: 'detached' });
      await expect.poll(() => isFocused(add)).toBe(true);
      await submit(page);

      await press(page, page.getByRole('button', { name: `Remove ${NAMES[0]}` }), 'Enter');
      const next = page.getByRole('button', { name: `Remove ${NAMES[1]}` });
      await expect.poll(() => isFocused(next)).toBe(true);
      await submit(page);
      await page.getByText(NAMES[0]).waitFor({ state: 'detached' });
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
    },
    { width: 390 },
  );
});
