import { expect, it } from 'vitest';
import { locate, makeInput, readBase, readSubjects } from './configuration';
import { diff, NO_ROLES, withEntry } from './draft';
import type { Configuration } from './fragments';
import { withSubjects } from './subjects';

const ENDED = '2025-01-01T00:00:00.123456Z';
const unknownOrigin = { grantedAt: null, grantedByName: null, grantedBy: null };
const configuration: Configuration = {
  revision: 7,
  general: { ...unknownOrigin, roles: ['METADATA_READ'], expiresAt: null },
  anyone: null,
  groups: [
    {
      ...unknownOrigin,
      roles: ['METADATA_WRITE'],
      expiresAt: ENDED,
      group: { id: 'g1', slug: 'reef-editors', displayName: 'Reef editors', description: '', memberCount: 5 },
    },
    {
      ...unknownOrigin,
      roles: [],
      expiresAt: null,
      group: { id: 'g2', slug: '6644', displayName: '6644', description: '', memberCount: 0 },
    },
  ],
  users: [
    {
      ...unknownOrigin,
      roles: ['ADMIN'],
      expiresAt: null,
      user: { id: 'u1', userName: 'Ann', displayName: null },
    },
  ],
};
const base = readBase(configuration);
const subjects = withSubjects(new Map(), readSubjects(configuration));
const sent = makeInput('r1', base.revision, base.entries, subjects);

it('sends back what it has read, ended entries too', () => {
  expect(sent.input).toEqual({
    resource: { id: 'r1' },
    revision: 7,
    general: { roles: ['METADATA_READ'], expiresAt: null },
    groups: [
      { group: { id: 'g1' }, roles: ['METADATA_WRITE'], expiresAt: ENDED },
      { group: { id: 'g2' }, roles: [], expiresAt: null },
    ],
    users: [{ user: { id: 'u1' }, roles: ['ADMIN'], expiresAt: null }],
  });
});

it('keeps who granted what, and when', () => {
  expect(base.origins.get('group:g2')).toMatchObject(unknownOrigin);
  expect(base.origins.has('general')).toBe(true);
  expect(base.origins.has('anyone')).toBe(false);
});

it('reads the same twice', () => {
  expect(diff(base.entries, readBase(configuration).entries)).toEqual([]);
});

it('names a person by name as long as only the name is known', () => {
  const more = withSubjects(subjects, [{ kind: 'user', id: null, userName: 'Bob', name: null }]);
  const draft = withEntry(base.entries, 'user:bob', NO_ROLES);
  expect(makeInput('r1', 7, draft, more).input.users?.[1]).toMatchObject({ user: { userName: 'Bob' } });
});

it('finds the row of an error', () => {
  expect(locate(['input', 'groups', '1', 'group'], sent)).toBe('group:g2');
  expect(locate(['input', 'users', '0', 'expiresAt'], sent)).toBe('user:ann');
  expect(locate(['input', 'general', 'roles'], sent)).toBe('general');
  expect(locate(['input', 'anyone'], sent)).toBe('anyone');
  expect(locate(['input', 'revision'], sent)).toBeNull();
  expect(locate(['input', 'groups', '9'], sent)).toBeNull();
  expect(locate([], sent)).toBeNull();
});
