import type { Page } from 'playwright-core';
import { test } from 'vitest';
import { openCorals, submitAccess } from '../corals';
import { adminPassword, openAs, REFUSED } from '../session';
import { demoPassword, visit } from '../visit';

/** Unlocks what is locked in an organization, as the user who is signed in. */
async function unlockAll(page: Page, slug: string): Promise<void> {
  await page.evaluate(async (org) => {
    const ask = async (query: string, variables: object) => {
      const response = await fetch('/graphql', {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ query, variables }),
      });
      return response.json();
    };
    const locked = await ask(
      'query ($org: String!) { org(by: {slug: $org}) { resources(first: 100) { nodes { id lock { reason } } } } }',
      { org },
    );
    for (const { id, lock } of locked.data.org.resources.nodes) {
      if (lock !== null) {
        await ask(
          'mutation ($id: ID!) { unlockResource(input: {resource: {id: $id}, reason: "The owner leaves."}) { errors { message } } }',
          { id },
        );
      }
    }
  }, slug);
}

test('who leaves is deactivated in one act, and a successor owns what was theirs', async () => {
  await visit(async (page) => {
    await openAs(page, 'admin', adminPassword, '/settings/users/elif/off-board');
    await page.getByRole('heading', { name: 'Owns 1 organization' }).waitFor();
    await page.getByRole('heading', { name: 'Owns 5 resources' }).waitFor();
    await page.getByRole('heading', { name: 'Member of 2 groups' }).waitFor();

    await visit(
      async (leaver) => {
        await openAs(leaver, 'elif', demoPassword, '/organizations');

        await page.getByRole('combobox', { name: 'Successor' }).fill('lucca');
        await page.getByRole('button', { name: 'Check' }).click();
        await page.getByRole('alert').getByText('There is no user lucca').waitFor();
        await page.getByRole('combobox', { name: 'Successor' }).fill('luca.bianchi@example.org');
        await page.getByRole('button', { name: 'Check' }).click();
        const dialog = page.getByRole('dialog', { name: 'Off-board elif' });
        await dialog.getByRole('button', { name: 'Start' }).click();
        await dialog.getByText(/over to luca: .* of this org .* locked/).waitFor();
        await unlockAll(page, 'herbarium');
        await dialog.getByRole('button', { name: 'Repeat those that failed' }).click();
        await dialog.getByText('9 of 9 entries done').waitFor();
        await dialog.getByRole('button', { name: 'Close' }).last().click();
        await page.getByRole('heading', { name: 'Owns 0 resources' }).waitFor();

        await leaver.getByRole('link', { name: 'Roles' }).click();
        await leaver.waitForURL('**/login?returnTo=*');
      },
      { expected: [REFUSED] },
    );

    await page.goto('/settings/users/luca?tab=belongs');
    await page.getByRole('link', { name: 'National Herbarium' }).waitFor();
    await page.goto('/settings/users/elif?tab=audit');
    await page.getByRole('cell', { name: 'Deactivate user', exact: true }).waitFor();
  });
});

test('who leaves is deleted in one act', async () => {
  await visit(async (page) => {
    await openAs(page, 'admin', adminPassword, '/settings/users/felix/off-board');
    await page.getByRole('radio', { name: /^Delete/ }).check();
    await page.getByRole('button', { name: 'Check' }).click();
    const dialog = page.getByRole('dialog', { name: 'Delete felix?' });
    await dialog.getByLabel('Type felix to confirm').fill('felix');
    await dialog.getByRole('button', { name: 'Delete felix' }).click();

    await page.waitForURL('**/settings/users');
    await page.getByText('felix is deleted.').waitFor();
  });
});

test('the own entries of who leaves are listed, with what becomes of them', async () => {
  await visit(async (page) => {
    const id = await openCorals(page);
    const entry = { user: { userName: 'amara' }, roles: ['DATASET_DATA_READ'] };
    await submitAccess(page, id, { general: { roles: [] }, users: [entry] });
  });
  await visit(async (page) => {
    await openAs(page, 'admin', adminPassword, '/settings/users/amara/off-board');
    const entries = page.getByRole('region', { name: 'Own entries on resources' });
    await entries.getByRole('heading', { name: /^Granted by name on [1-9]/ }).waitFor();
    await entries.getByText(/If the account is deleted, they are removed/).waitFor();
    const row = entries.getByRole('row').filter({ hasText: 'Corals' });
    await row.getByText('Dataset Data Read').waitFor();
  });
});
