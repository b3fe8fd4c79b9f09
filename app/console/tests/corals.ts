import type { Locator, Page } from 'playwright-core';
import { expect } from 'vitest';
import { openAs } from './session';
import { demoPassword, visit } from './visit';

const HOURS = 3_600_000;

/** Asks the API as the user of this page. */
export async function ask<Data>(
  page: Page,
  query: string,
  variables: object = {},
  api = '/graphql',
): Promise<Data> {
  const answer: { readonly data: Data; readonly errors?: unknown } = await page.evaluate(
    async ([address, body]) => {
      const headers = { 'Content-Type': 'application/json' };
      const response = await fetch(address, { method: 'POST', headers, body });
      return response.json();
    },
    [api, JSON.stringify({ query, variables })] as const,
  );
  expect(answer.errors).toBeUndefined();
  return answer.data;
}

/** Sends the body of a request once more, as this page. */
export async function repeat(page: Page, body: string): Promise<void> {
  await page.evaluate(async (text) => {
    const headers = { 'Content-Type': 'application/json' };
    await fetch('/graphql', { method: 'POST', headers, body: text });
  }, body);
}

interface Created {
  readonly made: { readonly errors: readonly object[]; readonly object: { readonly id: string } | null };
}

async function make(page: Page, mutation: string, object: string, input: object): Promise<string> {
  const type = mutation.charAt(0).toUpperCase() + mutation.slice(1);
  const { made: created } = await ask<Created>(
    page,
    `mutation ($input: ${type}Input!) {
      made: ${mutation}(input: $input) { errors { message } object: ${object} { id } }
    }`,
    { input },
  );
  expect(created.errors).toEqual([]);
  return created.object?.id ?? '';
}

/** Makes the dataset Corals of ines, with the roles that a new dataset has. */
export async function makeCorals(page: Page): Promise<string> {
  const org = { slug: 'marine-science' };
  const slug = `corals-${String(Date.now())}`;
  return make(page, 'createResource', 'resource', { org, slug, name: 'Corals', type: 'DATASET' });
}

export const REEF_MEMBERS = ['luca', 'priya', 'felix', 'amara', 'jonas'] as const;

/** Makes groups as the steward, each with these members; returns their ids. */
export async function makeGroups(
  names: readonly string[],
  members: readonly string[] = REEF_MEMBERS,
): Promise<readonly string[]> {
  const ids: string[] = [];
  await visit(async (page) => {
    await openAs(page, 'beatriz', demoPassword, '/groups');
    for (const displayName of names) {
      const slug = `g ${displayName.toLowerCase()} ${String(Date.now())}`.replaceAll(/[^a-z0-9]+/g, '-');
      const id = await make(page, 'createGroup', 'group', { slug, displayName });
      if (members.length > 0) {
        const users = members.map((userName) => ({ user: { userName } }));
        await make(page, 'addGroupMembers', 'group', { group: { id }, members: users });
      }
      ids.push(id);
    }
  });
  return ids;
}

/** Opens the settings of a new dataset Corals as ines. */
export async function openCorals(page: Page): Promise<string> {
  await openAs(page, 'ines', demoPassword, '/resources');
  const id = await makeCorals(page);
  await openSettings(page, id);
  return id;
}

export async function openSettings(page: Page, id: string): Promise<void> {
  await page.goto(`/resources/${id}/settings`);
  await page.getByRole('heading', { name: 'General Access' }).waitFor();
}

/** Submits a configuration through the API, as others do. */
export async function submitAccess(page: Page, id: string, configuration: object): Promise<void> {
  const { resource } = await ask<{ resource: { access: { revision: number } } }>(
    page,
    'query ($id: ID!) { resource(by: { id: $id }) { access { revision } } }',
    { id },
  );
  const { revision } = resource.access;
  await make(page, 'submitAccess', 'resource', { resource: { id }, revision, ...configuration });
}

/** A switch of General Access. */
export const generalSwitch = (page: Page, role: string) =>
  page.getByRole('region', { name: 'General Access' }).getByRole('switch', { name: role });

/** Presses a switch: its input lies below its track. */
export async function press(page: Page, role: string): Promise<void> {
  await generalSwitch(page, role).press('Space');
}

export const row = (page: Page, name: string) => page.getByRole('row').filter({ hasText: name });

export const submitButton = (page: Page) => page.getByRole('button', { name: 'Submit Changes' });

/** Submits the draft, and waits until it is saved. */
export async function submit(page: Page): Promise<void> {
  await submitButton(page).click();
  await page.getByText('Saved', { exact: true }).last().waitFor();
  await submitButton(page).waitFor({ state: 'detached' });
}

/** Waits until a search has left only the rows of this name: a click while the list shrinks would miss. */
export async function onlyNamed(dialog: Locator, name: string): Promise<void> {
  const others = dialog.getByRole('row').filter({ hasNotText: name });
  await expect.poll(() => others.count()).toBe(1);
}

/** Adds groups to the draft with the picker. */
export async function addGroups(page: Page, names: readonly string[]): Promise<void> {
  await page.getByRole('button', { name: 'Add group' }).click();
  const dialog = page.getByRole('dialog');
  for (const name of names) {
    await dialog.getByRole('searchbox').fill(name);
    await onlyNamed(dialog, name);
    await dialog.getByRole('checkbox', { name: `Select ${name}` }).check();
  }
  await dialog.getByRole('button', { name: 'Add', exact: true }).click();
  await dialog.waitFor({ state: 'detached' });
}

/** Gives a row a role in its dialog, and an end after that if one is chosen. */
export async function editRow(page: Page, name: string, role: string, end?: string): Promise<void> {
  await page.getByRole('button', { name: `Edit ${name}` }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('switch', { name: role }).press('Space');
  if (end !== undefined) {
    await dialog.getByRole('combobox', { name: 'Ends' }).click();
    await page.getByRole('option', { name: end }).click();
  }
  await dialog.getByRole('button', { name: 'Done' }).click();
  await dialog.waitFor({ state: 'detached' });
}

export const inHours = (hours: number): string => new Date(Date.now() + hours * HOURS).toISOString();
