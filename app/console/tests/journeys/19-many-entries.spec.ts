import { expect, test } from 'vitest';
import { ask, openSettings, press, row, submit, submitAccess, makeCorals } from '../corals';
import { adminPassword, openAs } from '../session';
import { visit } from '../visit';

const GROUPS = 500;
const PEOPLE = 500;
const SECOND = 1_000;

const numbers = (count: number): string[] =>
  [...Array(count).keys()].map((at) => String(at).padStart(3, '0'));

test('a thousand entries open, are searched, and are changed', async () => {
  await visit(async (page) => {
    await openAs(page, 'admin', adminPassword, '/resources');
    const made = await ask<Record<string, { errors: object[] }>>(
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
    expect(made['createGroups']?.errors).toEqual([]);
    expect(made['createUsers']?.errors).toEqual([]);
    const id = await makeCorals(page);
    const grant = { roles: ['METADATA_READ'] };
    await submitAccess(page, id, {
      general: grant,
      groups: numbers(GROUPS).map((at) => ({ ...grant, group: { slug: `many-${at}` } })),
      users: numbers(PEOPLE).map((at) => ({ ...grant, user: { userName: `crowd${at}` } })),
    });

    await openSettings(page, id);
    const started = Date.now();
    await openSettings(page, id);
    expect(Date.now() - started).toBeLessThan(3 * SECOND);

    const people = page.getByRole('region', { name: 'People', exact: true });
    await people.getByRole('searchbox').fill('crowd499');
    await row(page, 'crowd499').waitFor();
    await press(page, 'Metadata Write');
    await submit(page);
  });
}, 240_000);
