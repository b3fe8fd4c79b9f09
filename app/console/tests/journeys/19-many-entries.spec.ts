import type { Page, Request } from 'playwright-core';
import { expect, test } from 'vitest';
import { ask, openSettings, press, row, submit, submitAccess, makeCorals } from '../corals';
import { adminPassword, openAs } from '../session';
import { visit } from '../visit';

const GROUPS = 500;
const PEOPLE = 500;
/** Rows that are drawn at once: a page of groups and one of people, beside the roles. */
const MOST_ROWS = 120;

const numbers = (count: number): string[] =>
  [...Array(count).keys()].map((at) => String(at).padStart(3, '0'));

/** Returns how many requests the page of the settings sends to the API until it is there. */
async function requestsOf(page: Page, id: string): Promise<number> {
  let requests = 0;
  const count = (request: Request) => {
    requests += Number(request.url().endsWith('/graphql'));
  };
  page.on('request', count);
  await openSettings(page, id);
  await page.waitForLoadState('networkidle');
  page.off('request', count);
  return requests;
}

test('a thousand entries open, are searched, and are changed', async () => {
  await visit(async (page) => {
    await openAs(page, 'admin', adminPassword, '/resources');
    const created = await ask<Record<string, { errors: object[] }>>(
      page,
      `mutation ($groups: CreateGroupsInput!, $users: CreateUsersInput!) {
        createGroups(input: $groups) { errors { message } }
        createUsers(input: $users) { errors { message } }
      }`,
      {
        groups: {
          groups: numbers(GROUPS).map((at) => ({ slug: `many-${at}`, displayName: `Many ${at}` })),
        },
        users: {
          users: numbers(PEOPLE).map((at) => ({
            userName: `crowd${at}`,
            email: `crowd${at}@reef.example`,
          })),
        },
      },
    );
    expect(created['createGroups']?.errors).toEqual([]);
    expect(created['createUsers']?.errors).toEqual([]);
    const id = await makeCorals(page);
    const grant = { roles: ['METADATA_READ'] };
    await submitAccess(page, id, {
      general: grant,
      groups: numbers(GROUPS).map((at) => ({ ...grant, group: { slug: `many-${at}` } })),
      users: numbers(PEOPLE).map((at) => ({ ...grant, user: { userName: `crowd${at}` } })),
    });

    const few = await requestsOf(page, await makeCorals(page));
    expect(await requestsOf(page, id)).toBe(few);
    expect(await page.getByRole('row').count()).toBeLessThan(MOST_ROWS);

    const people = page.getByRole('region', { name: 'People', exact: true });
    await people.getByRole('searchbox').fill('crowd499');
    await row(page, 'crowd499').waitFor();
    await press(page, 'Metadata Write');
    await submit(page);
  });
}, 240_000);
