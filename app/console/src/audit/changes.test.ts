import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { differencesOf, isTruncated } from './changes';
import { FIELDS, fieldWords, valueWords } from './fields';
import type { ObjectType } from './fields';
import type { Labels } from './labels';

const LABELS: Labels = {
  roles: new Map([['METADATA_WRITE', 'Metadata Write']]),
  permissions: new Map([['GROUPS_MANAGE', 'Manage Groups']]),
  levels: new Map([['READ_ONLY', 'Read Only']]),
  types: new Map([['DATASET', 'Dataset']]),
};

const END = '2026-05-15T12:41:37.466901Z';

/** A value of each field as the log has it, and its words. */
const TABLE: Readonly<Record<ObjectType, Readonly<Record<string, readonly [unknown, readonly string[]]>>>> = {
  USER: {
    userName: ['ines', ['ines']],
    displayName: ['Inés Kovač', ['Inés Kovač']],
    email: [null, []],
    metadata: [{ maxStorageMB: 20480, name: 'Inés' }, ['Storage limit: 20 GiB', 'name: Inés']],
    roles: [['user', 'steward'], ['user, steward']],
    orgs: [{ reef: { level: 'READ_ONLY', expiresAt: END } }, ['reef · Read Only · until 15 May 2026']],
    groups: [{ 'field-crews': { isManager: false, expiresAt: END } }, ['field-crews · until 15 May 2026']],
    access: [
      { 'reef/corals': { roles: ['METADATA_WRITE'], expiresAt: null } },
      ['reef/corals · Metadata Write'],
    ],
    owns: [{ reef: 'T3JnOjE=' }, ['reef']],
    password: ['changed', ['Changed']],
    token: ['revoked', ['Ended']],
    tokens: ['revoked', ['Ended']],
    lastLoginAt: [null, []],
    forgotten: [true, ['Yes']],
    events: [3, ['3']],
  },
  ROLE: {
    name: ['steward', ['steward']],
    description: ['', []],
    permissions: [['GROUPS_MANAGE', 'USERS_VIEW'], ['Manage Groups, Users View']],
  },
  ORG: {
    slug: ['6644', ['6644']],
    name: ['Reef', ['Reef']],
    description: [null, []],
    isPublic: [false, ['No']],
    owner: ['ines', ['ines']],
    quotaBytes: [null, ['No limit']],
    members: [{ luca: { level: 'READ_ONLY', expiresAt: null } }, ['luca · Read Only']],
    resources: [{ corals: 'UmVzb3VyY2U6MQ==' }, ['corals']],
  },
  GROUP: {
    slug: ['crews', ['crews']],
    displayName: ['Crews', ['Crews']],
    description: ['Who goes out.', ['Who goes out.']],
    membersSeenBy: ['SIGNED_IN', ['Everybody who is signed in']],
    members: [{ luca: { isManager: true, expiresAt: null } }, ['luca · manager']],
    access: [{ 'reef/corals': { roles: [], expiresAt: null } }, ['reef/corals · no role']],
  },
  RESOURCE: {
    slug: ['corals', ['corals']],
    type: ['DATASET', ['Dataset']],
    name: ['Corals', ['Corals']],
    description: ['ABC_DEF', ['ABC_DEF']],
    metadata: [{ year: 1998 }, ['year: 1998']],
    owner: [null, []],
    sizeBytes: [5_368_709_120, ['5 GiB']],
    lock: [{ reason: 'Review' }, ['Review']],
    reason: ['Done', ['Done']],
    access: [
      {
        general: { roles: ['METADATA_WRITE'], expiresAt: null },
        'group:crews': { roles: ['METADATA_WRITE'], expiresAt: END },
        'user:luca': { roles: [], expiresAt: null },
      },
      [
        'Everybody signed in · Metadata Write',
        'the group crews · Metadata Write · until 15 May 2026',
        'luca · no role',
      ],
    ],
    upload: [
      { bytes: 1024, state: 'FINISHED', replacedBytes: 10 },
      ['1 KiB', 'replaces 10 bytes', 'Finished'],
    ],
    download: [{ bytes: 1024, expiresAt: END }, ['1 KiB', 'until 15 May 2026']],
  },
  RESOURCE_TYPE: { name: ['FIELD_NOTES', ['Field Notes']], hasData: [true, ['Yes']] },
  API_TOKEN: {
    name: ['sync', ['sync']],
    prefix: ['ost_ab', ['ost_ab']],
    user: ['ines', ['ines']],
    permissions: [[], []],
    isLimited: [false, ['No']],
    expiresAt: [null, ['Never']],
  },
  AUDIT_LOG: {
    before: [null, []],
    events: [7, ['7']],
    firstEvent: [1, ['1']],
    lastEvent: [9, ['9']],
    hash: ['ab12', ['ab12']],
  },
};

test('every field that the server audits has words', () => {
  const text = readFileSync(join(import.meta.dirname, 'auditedFields.json'), 'utf8');
  const sorted = Object.fromEntries(
    Object.entries(FIELDS).map(([type, fields]) => [type, Object.keys(fields).sort()]),
  );
  expect(sorted).toEqual(JSON.parse(text));
});

const CASES = Object.entries(FIELDS).flatMap(([type, fields]) =>
  Object.keys(fields).map((field) => ({ type, field })),
);

test.each(CASES)('a value of $type.$field is in words', ({ type, field }) => {
  const [row] = Object.entries(TABLE).filter(([each]) => each === type);
  const [value, said] = row?.[1][field] ?? ['missing in the table', null];
  const [objectType] = Object.entries(TYPES).flatMap(([name, own]) => (name === type ? [own] : []));
  expect(objectType === undefined ? null : valueWords(objectType, field, value, LABELS)).toEqual(said);
});

const TYPES = {
  USER: 'USER',
  ROLE: 'ROLE',
  ORG: 'ORG',
  GROUP: 'GROUP',
  RESOURCE: 'RESOURCE',
  RESOURCE_TYPE: 'RESOURCE_TYPE',
  API_TOKEN: 'API_TOKEN',
  AUDIT_LOG: 'AUDIT_LOG',
} as const;

test.each([
  [{}, []],
  [[], []],
  [null, []],
  ['', []],
  [0, ['0']],
  [false, ['No']],
  ['NEW_STATE', ['New State']],
  ['plain', ['plain']],
  [{ a: 1, b: null }, ['a: 1', 'b: None']],
])('a field without words of its own shows %j readably', (value, said) => {
  expect(valueWords('USER', 'aNewField', value, LABELS)).toEqual(said);
});

test('a moment is no ISO text', () => {
  const [said = ''] = valueWords('USER', 'aNewField', END, LABELS);
  expect(said).toContain('15 May 2026');
  expect(valueWords('USER', 'lastLoginAt', END, LABELS)).toEqual([said]);
});

test('fields have words, also unknown ones', () => {
  expect(fieldWords('USER', 'lastLoginAt')).toBe('Last sign-in');
  expect(fieldWords('USER', 'aNewField')).toBe('A new field');
});

test('fields of both states stand side by side', () => {
  const change = {
    objectType: 'USER',
    before: { userName: 'a', roles: ['user'] },
    after: { userName: 'b', groups: {} },
  } as const;
  expect(differencesOf(change, LABELS)).toEqual([
    { field: 'userName', label: 'User name', before: ['a'], after: ['b'] },
    { field: 'roles', label: 'Roles', before: ['user'], after: undefined },
    { field: 'groups', label: 'Groups', before: undefined, after: [] },
  ]);
});

test('a created or deleted object has one side', () => {
  const slug = { objectType: 'ORG', before: null, after: { slug: '6644' } } as const;
  expect(differencesOf(slug, LABELS)).toEqual([
    { field: 'slug', label: 'Slug', before: undefined, after: ['6644'] },
  ]);
});

test('values that were left out are told, and are no field', () => {
  const change = { objectType: 'ORG', before: { truncated: true }, after: {} } as const;
  expect(differencesOf(change, LABELS)).toEqual([]);
  expect(isTruncated(change)).toBe(true);
  expect(isTruncated({ objectType: 'ORG', before: {}, after: null })).toBe(false);
});
