import { writeFile } from 'node:fs/promises';
import { env } from 'node:process';
import type { Locator, Page } from 'playwright-core';
import { test } from 'vitest';
import { ask } from '../corals';
import { openAs } from '../session';
import { demoPassword, visit } from '../visit';

type Content = (page: Page) => Locator;

const ROUNDS = 7;
const EVENTS = 25;
const ROW = 10;

const heading =
  (name: string): Content =>
  (page) =>
    page.getByRole('heading', { name });
const tenthRow: Content = (page) => page.getByRole('row').nth(ROW);

const resource = `/resources/${env['RESOURCE'] ?? ''}`;

/** Each page with its address, and with what shows that its data is there. */
const pages: readonly (readonly [name: string, address: string, content: Content])[] = [
  ['home', '/', heading('My organizations')],
  ['users', '/settings/users', tenthRow],
  ['a user', '/settings/users/user77', heading('user77')],
  ['off-boarding of a user', '/settings/users/user77/off-board', heading('user77')],
  ['organizations', '/organizations', tenthRow],
  ['the members of a large organization', '/organizations/org-1?tab=members', tenthRow],
  ['groups', '/groups', tenthRow],
  ['a large group', '/groups/group-1', tenthRow],
  ['resources', '/resources', tenthRow],
  ['a resource', resource, heading('What I may do and why')],
  ['access settings with 1,000 entries', `${resource}/settings`, tenthRow],
  ['people of a resource, a large group among them', `${resource}/people`, tenthRow],
  ['the audit log', '/audit', tenthRow],
  ['GraphiQL', '/graphql', (page) => page.getByText('Signed in as root.')],
];

test('the time from the address to the data', async () => {
  const times: Record<string, number[]> = {};
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
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const [name, address, content] of pages) {
        const started = performance.now();
        await page.goto(address, { waitUntil: 'commit' });
        await content(page).first().waitFor();
        (times[name] ??= []).push(performance.now() - started);
      }
    }
  });
  await writeFile(env['TIMES'] ?? 'times.json', JSON.stringify(times));
});
