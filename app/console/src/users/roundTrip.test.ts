import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { toCsv } from '../shared/csv';
import { exportProblem, linesOf } from './csvExport';
import { usersOf } from './csvImport';
import type { ExportedUser } from './operations';

/** The table that `ostiary export` writes for the same users; a test of the server reads this file too. */
const TABLE = readFileSync(join(import.meta.dirname, '../../tests/users.csv'), 'utf8');

const user = (userName: string, rest: Partial<ExportedUser> = {}): ExportedUser => ({
  id: userName,
  userName,
  displayName: null,
  email: null,
  isServiceAccount: false,
  metadata: {},
  roles: [{ id: 'user', name: 'user' }],
  ...rest,
});

const roles = (...names: readonly string[]) => names.map((name) => ({ id: name, name }));

const USERS = [
  user('bob', {
    displayName: '=Bob, "the fish"',
    email: 'bob@example.com',
    metadata: { department: '=1+1', maxStorageMB: 10, tags: ['a', 'b'], none: null },
    roles: roles('user', 'deactivated'),
  }),
  user('6644', { displayName: 'עדה Łőrinc', metadata: { '\n; ': "'" }, roles: roles('data steward') }),
  user('dora', { displayName: "'=d", roles: roles('a;b', 'c\\d', 'e\\') }),
  user('emil', { roles: [] }),
];

test('users are written as the table of a declared state', () => {
  expect(toCsv(linesOf(USERS)).replace('\uFEFF', '')).toBe(TABLE);
});

test('a hidden list of roles says nothing', () => {
  expect(linesOf([user('bob', { roles: null })])[1]?.[4]).toBe('');
});

test('what is exported is read back as it was', () => {
  const filled = USERS.map(({ userName, displayName, email, metadata, roles: userRoles }) => ({
    userName,
    ...(displayName === null ? {} : { displayName }),
    ...(email === null ? {} : { email }),
    ...(Object.keys(Object(metadata)).length === 0 ? {} : { metadata }),
    roles: userRoles?.map(({ name }) => name),
  }));

  expect(exportProblem(USERS)).toBeNull();
  expect(usersOf(toCsv(linesOf(USERS)))).toMatchObject({ isRight: true, value: { users: filled } });
});

test.each([
  [['user', 'deactivated'], ['user'], false],
  [[], ['user'], false],
  [['user'], 'user', false],
  [['user', 'deactivated'], ['Deactivated', 'user'], true],
])('roles %j with the member roles %j of the metadata: taken %s', (roleNames, member, isTaken) => {
  const bob = user('bob', { roles: roles(...roleNames), metadata: { roles: member } });
  const parsed = usersOf(toCsv(linesOf([bob])));

  expect(parsed.isRight).toBe(isTaken);
  expect(parsed.isRight ? '' : parsed.problem).toMatch(isTaken ? /^$/ : /^Line 2: .*metadata differ/);
});

test.each([
  [null, /may not see the metadata .* of ann/],
  [{ number: 2 ** 53 }, /metadata of ann .*ostiary export/],
  [{ number: 2 ** 53 - 1 }, undefined],
])('what cannot be written as it is stops the export: %j', (metadata, message) => {
  const problem = exportProblem([user('bob'), user('ann', { metadata })]);

  expect(problem ?? '').toMatch(message ?? /^$/);
});
