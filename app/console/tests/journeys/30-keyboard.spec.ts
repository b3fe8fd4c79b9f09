import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { makeCorals, makeGroups, onlyNamed, generalSwitch, row, submitButton } from '../corals';
import { choose, expectFocus, press, signInByKeys, tabTo, type } from '../keys';
import { adminPassword, openAs } from '../session';
import { demoPassword, visit } from '../visit';

const NEW_PASSWORD = 'correct-horse-42';
const EDITORS = 'Keyboard editors';

/** Esc asks before it throws away what was entered. */
async function stayOnEscape(page: Page): Promise<void> {
  await page.keyboard.press('Escape');
  await press(page, page.getByRole('button', { name: 'Stay' }), 'Enter');
  await page.getByRole('dialog', { name: 'Leave without saving?' }).waitFor({ state: 'detached' });
}

test('the owner of a dataset manages access to it by keyboard alone', async () => {
  await makeGroups([EDITORS]);
  let id = '';
  await visit(async (page) => {
    await openAs(page, 'ines', demoPassword, '/resources');
    id = await makeCorals(page);
  });
  await visit(async (page) => {
    await signInByKeys(page, 'ines', demoPassword, '/resources');
    await expectFocus(page.getByRole('heading', { level: 1, name: 'Resources' }));
    const link = page.locator(`main a[href$="/resources/${id}"]`);
    await type(page, page.getByRole('searchbox', { name: 'Search', exact: true }), 'Corals');
    await press(page, link, 'Enter');
    await expectFocus(page.getByRole('heading', { level: 1, name: 'Corals' }));
    const pages = page.getByRole('navigation', { name: 'Pages of this resource' });
    await press(page, pages.getByRole('link', { name: 'Settings' }), 'Enter');
    await page.getByRole('heading', { name: 'General Access' }).waitFor();

    await press(page, generalSwitch(page, 'Metadata Write'), 'Space');
    await press(page, page.getByRole('button', { name: 'Add group' }), 'Enter');
    const dialog = page.getByRole('dialog', { name: 'Add groups' });
    await type(page, dialog.getByRole('searchbox'), EDITORS);
    await onlyNamed(dialog, EDITORS);
    await press(page, dialog.getByRole('checkbox', { name: `Select ${EDITORS}` }), 'Space');
    await press(page, dialog.getByRole('button', { name: 'Add', exact: true }), 'Enter');
    await expectFocus(page.getByRole('button', { name: 'Add group' }));

    await press(page, page.getByRole('button', { name: `Edit ${EDITORS}` }), 'Enter');
    const entry = page.getByRole('dialog');
    await press(page, entry.getByRole('switch', { name: 'Dataset Data Write' }), 'Space');
    await choose(page, entry.getByRole('combobox', { name: 'Ends' }), 'In 30 days');
    await stayOnEscape(page);
    await press(page, entry.getByRole('button', { name: 'Done' }), 'Enter');
    await expectFocus(page.getByRole('button', { name: `Edit ${EDITORS}` }));
    await page.getByText(/5 people.* gain Dataset Data Write/).waitFor();
    await expect.poll(() => submitButton(page).isEnabled()).toBe(true);
    await press(page, submitButton(page), 'Enter');
    await submitButton(page).waitFor({ state: 'detached' });
    await row(page, EDITORS).getByText(/^Ends/).waitFor();
    const groups = page.getByRole('region', { name: 'Group Access' });
    await press(page, groups.getByRole('switch', { name: 'Show only changed' }), 'Space');
    await groups.getByText('Nothing is changed here.').waitFor();

    await type(page, page.getByRole('textbox', { name: 'Reason' }), 'Under review');
    await press(page, page.getByRole('button', { name: 'Lock', exact: true }), 'Enter');
    await page.getByRole('button', { name: 'Unlock', exact: true }).waitFor();
  });
});

test('the administrator changes the password, and adds a user and a role by keyboard alone', async () => {
  await visit(async (page) => {
    await signInByKeys(page, 'admin', adminPassword, '/');
    await press(page, page.getByRole('link', { name: 'Change it' }), 'Enter');
    await type(page, page.locator('[name="oldPassword"]'), adminPassword);
    await page.keyboard.press('Tab');
    await expectFocus(page.getByRole('button', { name: 'Show what is typed' }).first());
    await page.keyboard.press('Enter');
    expect(await page.locator('[name="oldPassword"]').getAttribute('type')).toBe('text');
    await type(page, page.locator('[name="newPassword"]'), NEW_PASSWORD);
    await type(page, page.locator('[name="again"]'), NEW_PASSWORD);
    await page.keyboard.press('Enter');
    await page.getByText('Saved. Your other sessions have ended.').first().waitFor();

    await press(page, page.getByRole('link', { name: 'Users', exact: true }), 'Enter');
    await expectFocus(page.getByRole('heading', { level: 1, name: 'Users' }));
    await press(page, page.getByRole('button', { name: 'Add User', exact: true }), 'Enter');
    const form = page.getByRole('dialog', { name: 'Add User' });
    await expectFocus(form.getByLabel('User name'));
    await page.keyboard.type('New User');
    await type(page, form.locator('[name="password"]'), 'correct-horse-42');
    await page.keyboard.press('Enter');
    await form.getByText('A user name must be').waitFor();
    await expectFocus(form.getByLabel('User name'));
    await type(page, form.getByLabel('User name'), 'bykeys');
    await choose(page, form.getByRole('combobox', { name: 'Roles' }), 'auditor');
    await press(page, form.getByRole('button', { name: 'Create' }), 'Enter');
    await form.waitFor({ state: 'detached' });
    await expectFocus(page.getByRole('button', { name: 'Add User', exact: true }));

    await press(page, page.getByRole('link', { name: 'Roles', exact: true }), 'Enter');
    await press(page, page.getByRole('button', { name: 'Add role' }), 'Enter');
    const role = page.getByRole('dialog', { name: 'Add role' });
    await type(page, role.getByLabel('Name'), 'keyboarders');
    await press(page, role.getByRole('switch', { name: 'View Users' }), 'Space');
    await press(page, role.getByRole('button', { name: 'Create role' }), 'Enter');
    await page.getByRole('region', { name: 'keyboarders', exact: true }).getByText('View Users').waitFor();

    await press(page, page.getByRole('link', { name: 'Audit', exact: true }), 'Enter');
    await type(page, page.getByRole('combobox', { name: 'Who' }), 'keys');
    await page.getByRole('option', { name: 'bykeys' }).waitFor();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.waitForURL('**/audit?who=bykeys');
    await page.getByRole('main').getByText('Nothing matches.').waitFor();
    await press(page, page.getByRole('button', { name: 'Clear filters' }), 'Enter');
    await type(page, page.getByRole('combobox', { name: 'Changed' }), 'bykeys');
    await page.getByRole('option', { name: 'bykeys' }).waitFor();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.waitForURL('**/audit?object=*');
    await page.getByRole('button', { name: 'Details: Sign in by admin' }).waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Details: Create user by admin' }).waitFor();
    await expectFocus(page.getByRole('combobox', { name: 'Changed' }));
    await press(page, page.getByRole('button', { name: 'Show changes of all objects' }), 'Enter');
    await page.waitForURL('**/audit');
  });
});

test('an organization is made, filled, handed over and deleted by keyboard alone', async () => {
  await visit(async (page) => {
    await signInByKeys(page, 'luca', demoPassword, '/organizations');
    await press(page, page.getByRole('button', { name: 'Create organization' }), 'Enter');
    const form = page.getByRole('dialog', { name: 'Create organization' });
    await type(page, form.getByLabel('Slug'), 'by-keys');
    await type(page, form.getByLabel('Name'), 'By keys');
    await page.keyboard.press('Enter');
    await page.waitForURL('**/organizations/by-keys');
    await expectFocus(page.getByRole('heading', { level: 1, name: 'By keys' }));

    await press(page, page.getByRole('tab', { name: 'Resources' }), 'ArrowRight');
    await expectFocus(page.getByRole('tab', { name: 'Members' }));
    await page.keyboard.press('Enter');
    await press(page, page.getByRole('button', { name: 'Add member' }), 'Enter');
    const add = page.getByRole('dialog', { name: 'Add a member to By keys' });
    await page.keyboard.press('Escape');
    await add.waitFor({ state: 'detached' });
    await press(page, page.getByRole('button', { name: 'Add member' }), 'Enter');
    await type(page, add.getByRole('combobox', { name: 'User name' }), 'priya');
    await page.getByRole('option', { name: 'priya' }).waitFor();
    await page.keyboard.press('Escape');
    await press(page, add.getByRole('button', { name: 'Add member' }), 'Enter');
    await add.waitFor({ state: 'detached' });
    await press(page, page.getByRole('button', { name: 'Edit priya' }), 'Enter');
    const edit = page.getByRole('dialog');
    await choose(page, edit.getByRole('combobox', { name: 'Level' }), 'Read and Write');
    await stayOnEscape(page);
    await choose(page, edit.getByRole('combobox', { name: 'Ends' }), 'In a year');
    await press(page, edit.getByRole('button', { name: 'Save' }), 'Enter');
    await edit.waitFor({ state: 'detached' });
    await expectFocus(page.getByRole('button', { name: 'Edit priya' }));
    const row = page.getByRole('row', { name: /priya/ });
    await row.getByText('Read and Write').waitFor();
    await row.getByText(/^Ends /).waitFor();

    await press(page, page.getByRole('checkbox', { name: 'Select priya' }), 'Space');
    await tabTo(page, page.getByRole('button', { name: 'Set level of 1 member' }));
    await page.keyboard.press('Shift+Tab');
    await press(page, page.getByRole('tab', { name: 'Members' }), 'ArrowRight');
    await page.keyboard.press('Enter');
    await press(page, page.getByRole('button', { name: 'Delete organization' }), 'Enter');
    const deletion = page.getByRole('dialog', { name: 'Delete By keys?' });
    await deletion.waitFor();
    await page.keyboard.press('Escape');
    await expectFocus(page.getByRole('button', { name: 'Delete organization' }));

    await press(page, page.getByRole('combobox', { name: 'New owner' }), 'Control+A');
    await page.keyboard.type('priya');
    await page.keyboard.press('Escape');
    await press(page, page.getByRole('button', { name: 'Hand over' }), 'Enter');
    const handOver = page.getByRole('dialog', { name: 'Hand over By keys?' });
    await press(page, handOver.getByRole('button', { name: 'Hand over' }), 'Enter');
    await page.getByText('priya is the owner now.').waitFor();
  });
  await visit(async (page) => {
    await signInByKeys(page, 'priya', demoPassword, '/organizations/by-keys?tab=settings');
    await press(page, page.getByRole('button', { name: 'Delete organization' }), 'Enter');
    const deletion = page.getByRole('dialog', { name: 'Delete By keys?' });
    await type(page, deletion.getByLabel('Type by-keys to confirm'), 'by-keys');
    await page.keyboard.press('Enter');
    await page.waitForURL('**/organizations');
    await page.getByText(/^By keys is deleted/).waitFor();
  });
});
