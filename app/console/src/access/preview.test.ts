import { expect, it } from 'vitest';
import type { ResourceRole } from '../api';
import type { RoleInfo } from './fragments';
import type { AccessChange } from './operations';
import { lossNote, sentenceOf, warningsOf } from './preview';

const role = (name: ResourceRole, label: string, ...impliedRoles: ResourceRole[]): RoleInfo => ({
  role: name,
  label,
  impliedRoles,
  description: '',
  grantableToAnyone: false,
  isDefault: false,
});
const ROLES: readonly RoleInfo[] = [
  role('METADATA_READ', 'Metadata Read'),
  role('DATASET_DATA_READ', 'Dataset Data Read', 'METADATA_READ'),
  role('DATASET_DATA_WRITE', 'Dataset Data Write', 'METADATA_READ', 'DATASET_DATA_READ'),
];
const group = { id: 'g1', displayName: 'Reef editors' };
const user = { id: 'u1', userName: 'ann', displayName: null };
const change = (values: Partial<AccessChange>): AccessChange => ({
  kind: 'GENERAL',
  group: null,
  user: null,
  userCount: null,
  gained: [],
  lost: [],
  expiresAt: null,
  ...values,
});
const NONE = new Map();

it('says who gains what, and until when', () => {
  const gained: ResourceRole[] = ['METADATA_READ', 'DATASET_DATA_READ'];
  const expiresAt = '2027-05-03T12:00:00Z';
  expect(sentenceOf(change({ kind: 'GROUP', group, userCount: 5, gained, expiresAt }), ROLES, NONE)).toBe(
    'Reef editors (5 people) gain Dataset Data Read until 3 May 2027.',
  );
});

it('isolates a name that is written from right to left', () => {
  const values = { kind: 'GROUP', group: { id: 'g2', displayName: 'שונית 2026' }, userCount: 5 } as const;
  expect(sentenceOf(change({ ...values, lost: ['METADATA_READ'] }), ROLES, NONE)).toBe(
    '\u2068שונית 2026\u2069 (5 people) lose Metadata Read.',
  );
});

it('says who loses what', () => {
  expect(sentenceOf(change({ lost: ['DATASET_DATA_READ'] }), ROLES, NONE)).toBe(
    'Everybody signed in loses Dataset Data Read.',
  );
  const both = change({ kind: 'USER', user, gained: ['METADATA_READ'], lost: ['DATASET_DATA_WRITE'] });
  expect(sentenceOf(both, ROLES, NONE)).toBe('ann gains Metadata Read and loses Dataset Data Write.');
});

it('says what changes without roles', () => {
  const edit = (before: string | null | undefined, after: string | null) => {
    const roles = new Set(['METADATA_READ'] as const);
    return new Map([
      [
        'group:g1',
        {
          key: 'group:g1',
          before: before === undefined ? null : { roles, expiresAt: before },
          after: { roles, expiresAt: after },
        },
      ],
    ]);
  };
  const quiet = change({ kind: 'GROUP', group, userCount: 1 });
  expect(sentenceOf(quiet, ROLES, NONE)).toBe('Reef editors (1 person) get no role.');
  expect(sentenceOf(quiet, ROLES, edit(null, '2027-05-03T12:00:00Z'))).toBe(
    'The access of Reef editors (1 person) now ends on 3 May 2027.',
  );
  expect(sentenceOf(quiet, ROLES, edit('2027-05-03T12:00:00Z', null))).toBe(
    'The access of Reef editors (1 person) no longer ends.',
  );
});

it('warns of data for everybody', () => {
  expect(warningsOf([change({ gained: ['METADATA_READ'] })], ROLES, { kind: 'kept' })).toEqual([]);
  expect(
    warningsOf([change({ gained: ['METADATA_READ', 'DATASET_DATA_READ'] })], ROLES, { kind: 'kept' }),
  ).toEqual([{ key: 'GENERAL', text: 'Everybody signed in will have Dataset Data Read. I want this.' }]);
});

it('warns of the loss and of an end of the own administration', () => {
  expect(warningsOf([], ROLES, { kind: 'lost' })).toHaveLength(1);
  expect(warningsOf([], ROLES, { kind: 'ends', at: '2027-05-03T12:00:00Z' })).toEqual([
    { key: 'own', text: 'You will administer this resource only until 3 May 2027. I want this.' },
  ]);
});

it('names general access as a way that is left only if it loses no role itself', () => {
  const general = change({ lost: ['METADATA_READ'] });
  const byGroup = change({ kind: 'GROUP', group, lost: ['METADATA_READ'] });
  expect(lossNote([change({ gained: ['METADATA_READ'] })])).toBeNull();
  expect(lossNote([byGroup])).toMatch(/organization or general access\.$/);
  expect(lossNote([byGroup, general])).toMatch(/through a group or an organization\.$/);
});
