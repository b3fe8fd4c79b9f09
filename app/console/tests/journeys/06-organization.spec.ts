import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { ask } from '../corals';
import { openAs } from '../session';
import { demoPassword, visit } from '../visit';

const DAY = 86_400_000;

/** Returns tomorrow as the value of a field for date and time. */
function tomorrow(): string {
  const now = new Date();
  return new Date(now.getTime() + DAY - now.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

async function create(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Create organization' }).click();
  const dialog = page.getByRole('dialog', { name: 'Create organization' });
  await dialog.getByLabel('Slug').fill('Not a slug');
  await dialog.getByLabel('Name').fill('6644');
  await dialog.getByRole('button', { name: 'Create organization' }).click();
  await expect.poll(() => dialog.getByLabel('Slug').getAttribute('aria-invalid')).toBe('true');
  await dialog.getByLabel('Slug').fill('6644');
  await dialog.getByRole('button', { name: 'Create organization' }).click();
  await page.waitForURL('**/organizations/6644');
  await page.getByRole('heading', { level: 1, name: '6644', exact: true }).waitFor();
}

async function addMember(page: Page): Promise<void> {
  await page.getByRole('tab', { name: 'Members' }).click();
  await page.getByRole('button', { name: 'Add member' }).click();
  const dialog = page.getByRole('dialog', { name: 'Add a member to 6644' });
  await dialog.getByRole('combobox', { name: 'User name' }).fill('priya');
  await dialog.getByRole('combobox', { name: 'Ends' }).click();
  await page.getByRole('option', { name: 'At a date and time' }).click();
  await dialog.getByLabel(/^Date and time/).fill(tomorrow());
  await dialog.getByRole('button', { name: 'Add member' }).click();
  const row = page.getByRole('row', { name: /priya/ });
  await row.getByText('Read Only').waitFor();
  await row.getByText(/^Ends /).waitFor();
  await page.getByRole('button', { name: 'Edit priya' }).click();
  await page.getByRole('dialog').getByRole('combobox', { name: 'Level' }).click();
  await page.getByRole('listbox', { name: 'Level' }).getByRole('option', { name: 'Read and Write' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
  await row.getByText('Read and Write').waitFor();
  await row.getByText(/^Ends /).waitFor();
}

async function edit(page: Page): Promise<void> {
  await page.getByRole('tab', { name: 'Settings' }).click();
  await page.getByLabel('Description').fill('Everything about 6644');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByRole('status').getByText('Saved').waitFor();
  await page
    .getByRole('region', { name: 'About this organization' })
    .getByText('Everything about 6644')
    .waitFor();
}

async function handOver(page: Page): Promise<void> {
  const owner = page.getByRole('combobox', { name: 'New owner' });
  await owner.fill('luca@hidden.example');
  await page.getByRole('button', { name: 'Hand over' }).click();
  await page.getByText('There is no user with the email address luca@hidden.example').waitFor();
  await owner.fill('luca');
  await page.getByRole('button', { name: 'Hand over' }).click();
  const dialog = page.getByRole('dialog', { name: 'Hand over 6644?' });
  await dialog.getByText('luca becomes the owner of 6644.').waitFor();
  await dialog.getByRole('button', { name: 'Hand over' }).click();
  await page.getByText('luca is the owner now.').waitFor();
  await page.getByText('Your level: Admin').waitFor();
}

const LOCKED_DATASET = `mutation ($made: CreateResourceInput!, $locked: LockResourceInput!) {
  createResource(input: $made) { errors { message } }
  lockResource(input: $locked) { errors { message } }
}`;

test('an organization is made, edited, handed over, and kept while a dataset in it is locked', async () => {
  await visit(async (page) => {
    await openAs(page, 'ines', demoPassword, '/organizations');
    await create(page);
    await addMember(page);
    await edit(page);
    await handOver(page);

    await ask(page, LOCKED_DATASET, {
      made: { org: { slug: '6644' }, slug: 'reefs', name: 'Reefs of 6644', type: 'DATASET' },
      locked: { resource: { path: { orgSlug: '6644', slug: 'reefs' } }, reason: 'Under review' },
    });
    await page.reload();
    await page.getByRole('button', { name: 'Delete organization' }).click();
    await page
      .getByRole('alert')
      .getByText(/locked/)
      .waitFor();
    await page.getByRole('link', { name: 'Reefs of 6644' }).first().waitFor();
    await page.getByText('Under review').first().waitFor();
    expect(await page.getByRole('dialog').count()).toBe(0);
  });
});

test('a deletion tells what goes with it, and wants the slug typed', async () => {
  await visit(async (page) => {
    await openAs(page, 'ines', demoPassword, '/organizations');
    await ask(page, 'mutation ($made: CreateOrgInput!) { createOrg(input: $made) { errors { message } } }', {
      made: { slug: 'short-lived', name: 'Short' },
    });
    await ask(
      page,
      'mutation ($made: CreateResourceInput!) { createResource(input: $made) { errors { message } } }',
      { made: { org: { slug: 'short-lived' }, slug: 'one', name: 'One', type: 'DATASET' } },
    );
    await page.goto('/organizations/short-lived?tab=settings');
    await page.getByRole('button', { name: 'Delete organization' }).click();
    const dialog = page.getByRole('dialog', { name: 'Delete Short?' });
    await dialog.getByText('1 resource will be deleted with it.').waitFor();
    expect(await dialog.getByRole('button', { name: 'Delete organization' }).isDisabled()).toBe(true);
    await dialog.getByLabel('Type short-lived to confirm').fill('short-lived');
    await dialog.getByRole('button', { name: 'Delete organization' }).click();
    await page.waitForURL('**/organizations');
    await page.getByText('Short is deleted, with 1 resource.').waitFor();
  });
});
