import { expect, it } from 'vitest';
import { eventSentences } from './history';

const NAMES = {
  roles: new Map([
    ['METADATA_READ', 'Metadata Read'],
    ['METADATA_WRITE', 'Metadata Write'],
  ]),
  groups: new Map([['reef-editors', 'Reef Editors']]),
};
const told = (before: unknown, after: unknown, action = 'submitAccess') =>
  eventSentences({ action, actor: 'Ann', before, after }, NAMES);
const access = (key: string, roles: readonly string[], expiresAt: string | null = null) => ({
  access: { [key]: { roles, expiresAt } },
});

it('tells grants', () => {
  expect(told({ access: {} }, access('group:reef-editors', ['METADATA_WRITE']))).toEqual([
    'Ann gave Reef Editors Metadata Write.',
  ]);
  expect(told(access('group:gone', ['METADATA_WRITE']), { access: {} })).toEqual([
    'Ann took Metadata Write from the group gone.',
  ]);
  expect(
    told(access('general', ['METADATA_READ']), access('general', ['METADATA_WRITE'], '2027-05-03T12:00:00Z')),
  ).toEqual([
    'Ann gave everybody signed in Metadata Write until 3 May 2027.',
    'Ann took Metadata Read from everybody signed in.',
  ]);
  expect(told({ access: {} }, access('user:bob', []))).toEqual(['Ann added bob without a role.']);
  expect(told(access('user:bob', []), { access: {} })).toEqual(['Ann removed bob, who had no role.']);
  expect(
    told(
      access('user:bob', ['METADATA_READ'], '2027-05-03T12:00:00Z'),
      access('user:bob', ['METADATA_READ']),
    ),
  ).toEqual(['Ann took away the end for bob.']);
});

it('tells locks', () => {
  expect(told({ lock: null }, { lock: { reason: 'Review' } })).toEqual(['Ann locked the resource: Review']);
  expect(told({ lock: { reason: 'Review' } }, { lock: null, reason: 'Done' })).toEqual([
    'Ann unlocked the resource: Done',
  ]);
});

it('tells all else', () => {
  expect(told(null, { name: 'Corals', access: {} })).toEqual(['Ann created the resource.']);
  expect(told({ name: 'a', metadata: {} }, { name: 'b', metadata: { c: 1 } })).toEqual([
    'Ann changed the name and the metadata.',
  ]);
  expect(told({}, { upload: { bytes: 1 } }, 'Begin upload')).toEqual(['Ann: Begin upload']);
});
