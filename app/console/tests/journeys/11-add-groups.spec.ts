import type { Locator, Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { ask, makeGroups, onlyNamed, openCorals, row } from '../corals';
import { visit } from '../visit';

const TURNED = 'שונית (2)!';

/** Returns whether the last sign of a text stands left of its first. */
async function isTurned(target: Locator): Promise<boolean> {
  return target.evaluate((element) => {
    const text = document.createTreeWalker(element, NodeFilter.SHOW_TEXT).nextNode();
    const leftOf = (at: number): number => {
      const range = document.createRange();
      if (text !== null) {
        range.setStart(text, at);
        range.setEnd(text, at + 1);
      }
      return range.getBoundingClientRect().left;
    };
    return leftOf((text?.textContent ?? '').length - 1) < leftOf(0);
  });
}

/** Adds a person by name, and the viewer by e-mail address, after an address that nobody has. */
async function addPeople(page: Page): Promise<void> {
  const { viewer } = await ask<{ viewer: { user: { email: string } } }>(
    page,
    '{ viewer { user { email } } }',
  );
  const dialog = page.getByRole('dialog');
  const add = async (typed: string): Promise<void> => {
    await dialog.getByRole('combobox', { name: 'User name or email' }).fill(typed);
    await dialog.getByRole('button', { name: 'Add', exact: true }).click();
  };
  await page.getByRole('button', { name: 'Add person' }).click();
  await add('nobody@example.org');
  await dialog.getByRole('alert').getByText('email address nobody@example.org').waitFor();
  await add(viewer.user.email.toUpperCase());
  await dialog.waitFor({ state: 'detached' });
  await row(page, 'ines').getByText('None').waitFor();
  await page.getByRole('button', { name: 'Add person' }).click();
  await add('luca');
  await row(page, 'luca').getByText('None').waitFor();
}

test('groups of two pages are added without a role, and nothing is saved', async () => {
  await makeGroups(['AA Reef editors', 'ZZ Reef readers', TURNED], []);
  await visit(async (page) => {
    const id = await openCorals(page);
    await page.getByRole('button', { name: 'Add group' }).click();
    const dialog = page.getByRole('dialog');
    const add = dialog.getByRole('button', { name: 'Add', exact: true });
    await dialog.getByRole('row').nth(10).waitFor();
    expect(await add.isDisabled()).toBe(true);

    await dialog.getByRole('switch', { name: 'Only groups I am in' }).press('Space');
    await dialog.getByText('Not a member').first().waitFor({ state: 'detached' });
    await dialog.getByRole('switch', { name: 'Only groups I am in' }).press('Space');
    await dialog.getByText('Not a member').first().waitFor();

    const place = await add.boundingBox();
    await dialog.getByRole('searchbox').fill('AA Reef');
    await onlyNamed(dialog, 'AA Reef');
    expect(await add.boundingBox()).toEqual(place);
    await dialog.getByRole('searchbox').fill('');
    await dialog.getByRole('row').nth(10).waitFor();

    const { x, y, height } = (await row(page, 'AA Reef editors').boundingBox()) ?? { x: 0, y: 0, height: 0 };
    await page.mouse.click(x + 400, y + height / 2);
    await dialog.getByText('1 selected').waitFor();
    expect(await add.boundingBox()).toEqual(place);
    await dialog.getByRole('button', { name: 'Next page' }).click();
    await dialog.getByRole('checkbox', { name: 'Select ZZ Reef readers' }).first().check();
    await dialog.getByText('2 selected').waitFor();
    const turned = dialog.getByRole('row').filter({ hasText: TURNED });
    expect(await isTurned(turned.getByText(TURNED, { exact: true }))).toBe(true);
    await turned.getByRole('checkbox', { name: `Select \u2068${TURNED}\u2069` }).waitFor();
    await add.click();
    await dialog.waitFor({ state: 'detached' });

    expect(await row(page, 'AA Reef editors').getByText('None').count()).toBe(1);
    expect(await row(page, 'ZZ Reef readers').getByText('None').count()).toBe(1);
    await page.getByText('2 unsaved changes').waitFor();
    await addPeople(page);
    await page.getByText('4 unsaved changes').waitFor();
    const { resource } = await ask<{ resource: { access: { groups: object[] } } }>(
      page,
      'query ($id: ID!) { resource(by: { id: $id }) { access { groups { roles } } } }',
      { id },
    );
    expect(resource.access.groups).toEqual([]);
  });
});
