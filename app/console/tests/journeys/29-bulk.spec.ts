import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { ask, makeGroups } from '../corals';
import { openAs } from '../session';
import { demoPassword, visit } from '../visit';

const ORG = `mutation ($org: CreateOrgInput!, $luca: AddOrgMemberInput!, $priya: AddOrgMemberInput!) {
  createOrg(input: $org) { errors { message } }
  luca: addOrgMember(input: $luca) { errors { message } }
  priya: addOrgMember(input: $priya) { errors { message } }
}`;

const REMOVE = `mutation ($input: RemoveOrgMemberInput!) {
  removeOrgMember(input: $input) { errors { message } }
}`;

const member = (userName: string) => ({ org: { slug: 'bulk' }, user: { userName }, level: 'READ_ONLY' });

async function tick(page: Page, names: readonly string[]): Promise<void> {
  for (const name of names) {
    await page.getByRole('checkbox', { name: `Select ${name}` }).check();
  }
}

test('acts on several members are tried first, and done for those they work for', async () => {
  await visit(async (page) => {
    await openAs(page, 'ines', demoPassword, '/organizations');
    await ask(page, ORG, {
      org: { slug: 'bulk', name: 'Bulk' },
      luca: member('luca'),
      priya: member('priya'),
    });
    await page.goto('/organizations/bulk?tab=members');
    const box = page.getByRole('checkbox', { name: 'Select luca' });
    const before = await box.boundingBox();
    await tick(page, ['luca', 'priya']);
    expect((await box.boundingBox())?.y).toBe(before?.y);
    await page.getByRole('button', { name: 'Set level of 2 members' }).click();
    const dialog = page.getByRole('dialog', { name: 'Set level of 2 members' });
    await dialog.getByRole('combobox', { name: 'Level' }).click();
    await page
      .getByRole('listbox', { name: 'Level' })
      .getByRole('option', { name: 'Admin', exact: true })
      .click();
    await page.route('**/graphql', async (route) => {
      await page.waitForTimeout(500);
      await route.continue().catch(() => undefined);
    });
    await dialog.getByRole('button', { name: 'Check' }).click();
    await dialog.getByRole('button', { name: 'Stop' }).click();
    await dialog.getByText('You stopped the check.').waitFor();
    await page.unroute('**/graphql');
    await dialog.getByRole('button', { name: 'Check' }).click();
    await dialog.getByText('2 of 2 can be changed.').waitFor();
    await page.getByRole('row', { name: /luca.*Read Only/ }).waitFor();
    await dialog.getByRole('button', { name: 'Start' }).click();
    await dialog.getByText('2 of 2 entries done').waitFor();
    await dialog.getByRole('button', { name: 'Close' }).last().click();
    await page.getByRole('row', { name: /luca.*Admin/ }).waitFor();

    await tick(page, ['luca', 'priya']);
    await ask(page, REMOVE, { input: { org: { slug: 'bulk' }, user: { userName: 'priya' } } });
    await page.getByRole('button', { name: 'Remove 2 members' }).click();
    const removal = page.getByRole('dialog', { name: 'Remove 2 members' });
    await removal.getByRole('button', { name: 'Check' }).click();
    await removal.getByText('1 of 2 can be changed.').waitFor();
    await removal
      .getByRole('listitem')
      .filter({ hasText: /^priya: .*member/ })
      .waitFor();
    await removal.getByRole('button', { name: 'Start' }).click();
    await removal.getByText('1 of 1 entry done').waitFor();
  });
});

interface Named {
  readonly resources: {
    readonly nodes: readonly { readonly name: string; readonly org: { readonly slug: string } | null }[];
  };
}

const NAMED = '{ resources(first: 100) { nodes { name org { slug } } } }';

const MAKE = `mutation ($input: CreateResourceInput!) { createResource(input: $input) { errors { message } } }`;

test('roles are tried on several resources first; a refusal names its resource', async () => {
  await makeGroups(['Bulk readers'], []);
  await visit(async (page) => {
    await openAs(page, 'ines', demoPassword, '/resources');
    for (const slug of ['bulk-one', 'bulk-two']) {
      const input = { org: { slug: 'marine-science' }, slug, name: slug, type: 'DATASET' };
      await ask(page, MAKE, { input });
    }
    await page.goto('/resources?q=bulk-');
    await tick(page, ['bulk-one', 'bulk-two']);
    const { resources } = await ask<Named>(page, NAMED);
    const other = resources.nodes.find(({ org }) => org?.slug === 'herbarium')?.name ?? '';
    await page.getByRole('searchbox', { name: 'Search', exact: true }).fill(other);
    await page.getByRole('checkbox', { name: 'Select bulk-one' }).waitFor({ state: 'detached' });
    await tick(page, [other]);
    await page.getByRole('button', { name: 'Grant on 3 resources' }).click();
    const dialog = page.getByRole('dialog', { name: 'Grant access' });
    await dialog.getByRole('combobox', { name: 'Group' }).fill('Bulk readers');
    await page
      .getByRole('option', { name: /Bulk readers/ })
      .first()
      .click();
    await dialog.getByRole('switch', { name: 'Metadata Read' }).press('Space');
    await dialog.getByRole('button', { name: 'Check' }).click();
    await dialog.getByText('2 of 3 can be changed.').waitFor();
    await dialog
      .getByRole('listitem')
      .filter({ hasText: `${other}: This needs the role` })
      .waitFor();
    await dialog.getByRole('button', { name: 'Grant on 2 resources' }).click();
    await page.getByText('Granted on 2 resources.').waitFor();
  });
});

test('several people are tried before they are added to a group', async () => {
  await makeGroups(['Bulk members'], []);
  await visit(async (page) => {
    await openAs(page, 'beatriz', demoPassword, '/groups?q=Bulk+members');
    await page.getByRole('link', { name: 'Bulk members' }).first().click();
    await page.getByRole('button', { name: 'Add members' }).click();
    const dialog = page.getByRole('dialog', { name: /^Add members/ });
    for (const name of ['luca', 'nobody-here']) {
      await dialog.getByRole('combobox', { name: 'User name' }).fill(name);
      await dialog.getByRole('button', { name: 'Put on the list' }).click();
    }
    await dialog.getByRole('button', { name: 'Check' }).click();
    await dialog.getByText(/nobody-here/).waitFor();
    await dialog.getByRole('button', { name: 'Take nobody-here off the list' }).click();
    const { user } = await ask<{ user: { email: string } }>(
      page,
      '{ user(by: { userName: "priya" }) { email } }',
    );
    await dialog.getByRole('combobox', { name: 'User name' }).fill(user.email);
    await dialog.getByRole('button', { name: 'Check' }).click();
    await dialog.getByText('2 of 2 can be changed.').waitFor();
    await dialog.getByRole('button', { name: 'Add 2 people' }).click();
    await dialog.waitFor({ state: 'detached' });
    await page.getByRole('row', { name: /priya/ }).waitFor();
  });
});
