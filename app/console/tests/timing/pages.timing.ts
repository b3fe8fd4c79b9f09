import { writeFile } from 'node:fs/promises';
import { env } from 'node:process';
import type { Locator, Page, Response } from 'playwright-core';
import { test } from 'vitest';
import { ask } from '../corals';
import { openAs } from '../session';
import { demoPassword, visit } from '../visit';

type Content = (page: Page) => Locator;

const ROUNDS = Number(env['ROUNDS']);
const EVENTS = 25;
const ROW = 10;

const heading =
  (name: string): Content =>
  (page) =>
    page.getByRole('heading', { name });
const tenthRow: Content = (page) => page.getByRole('row').nth(ROW);

const panel: Content = (page) => page.getByRole('tabpanel');

const resource = `/resources/${env['RESOURCE'] ?? ''}`;

/** Each page with its address, and with what shows that its data is there. */
const pages: readonly (readonly [name: string, address: string, content: Content])[] = [
  ['home', '/', heading('My organizations')],
  ['account', '/account', panel],
  ['account: storage', '/account?tab=storage', panel],
  ['account: API tokens', '/account?tab=tokens', panel],
  ['users', '/settings/users', tenthRow],
  ['users, searched', '/settings/users?search=user77', (page) => page.getByRole('row').nth(2)],
  ['a user', '/settings/users/user77', heading('user77')],
  ['a user: organizations and groups', '/settings/users/user77?tab=belongs', panel],
  ['a user: access', '/settings/users/user77?tab=access', panel],
  ['a user: audit', '/settings/users/user77?tab=audit', panel],
  ['off-boarding of a user', '/settings/users/user77/off-board', heading('user77')],
  ['roles', '/settings/roles', heading('Roles')],
  ['resource types', '/settings/types', heading('Resource types')],
  ['API tokens of everybody', '/settings/tokens', heading('API tokens')],
  ['organizations', '/organizations', tenthRow],
  ['a large organization: resources', '/organizations/org-1', panel],
  ['a large organization: members', '/organizations/org-1?tab=members', tenthRow],
  ['a large organization: settings', '/organizations/org-1?tab=settings', panel],
  ['groups', '/groups', tenthRow],
  ['a large group', '/groups/group-1', tenthRow],
  ['resources', '/resources', tenthRow],
  ['a resource', resource, heading('What I may do and why')],
  ['access settings with 1,000 entries', `${resource}/settings`, tenthRow],
  ['people of a resource, a large group among them', `${resource}/people`, tenthRow],
  [
    'history of a resource',
    `${resource}/history`,
    (page) => page.getByRole('navigation', { name: 'Pages of this resource' }),
  ],
  ['the audit log', '/audit', tenthRow],
  ['GraphiQL', '/graphql', (page) => page.getByText('Signed in as root.')],
];

interface Answer {
  readonly extensions?: { readonly stats?: { readonly statements: number } };
}

interface Measured {
  readonly times: number[];
  readonly statements: number;
}

/** Returns the SQL statements of all that a page asks for. */
async function count(page: Page, address: string, content: Content): Promise<number> {
  const answers: Promise<Answer>[] = [];
  const listen = (response: Response): void => {
    if (response.request().method() === 'POST' && response.url().endsWith('/graphql')) {
      answers.push(response.json());
    }
  };
  page.on('response', listen);
  await page.goto(address);
  await content(page).first().waitFor();
  await page.waitForLoadState('networkidle');
  page.off('response', listen);
  return (await Promise.all(answers)).reduce(
    (sum, { extensions }) => sum + (extensions?.stats?.statements ?? 0),
    0,
  );
}

test('the statements of each page, and the time from the address to the data', async () => {
  const measured: Record<string, Measured> = {};
  await visit(async (page) => {
    await openAs(page, 'root', demoPassword, '/');
    for (let number = 0; number < EVENTS; number += 1) {
      await ask(
        page,
        `mutation ($slug: String!) {
          createGroup(input: { slug: $slug, displayName: $slug }) { errors { message } }
        }`,
        { slug: `timed-${String(number)}` },
      );
    }
    await page.setExtraHTTPHeaders({ 'Ostiary-Stats': '1' });
    for (const [name, address, content] of pages) {
      measured[name] = { times: [], statements: await count(page, address, content) };
    }
    await page.setExtraHTTPHeaders({});
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const [name, address, content] of pages) {
        const started = performance.now();
        await page.goto(address, { waitUntil: 'commit' });
        await content(page).first().waitFor();
        measured[name]?.times.push(performance.now() - started);
      }
    }
  });
  await writeFile(env['MEASURED'] ?? 'measured.json', JSON.stringify(measured));
});
