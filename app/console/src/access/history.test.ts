import { expect, it } from 'vitest';
import { eventSentences } from './history';

const NAMES = {
  roles: new Map([
    ['METADATA_READ', 'Metadata Read'],
    ['METADATA_WRITE', 'Metadata Write'],
  ]),
  groups: new Map([['reef-editors', 'Reef Editors']]),
};
const sentencesFor = (before: unknown, after: unknown, action = 'submitAccess') =>
  eventSentences({ action, actor: 'Ann', before, after }, NAMES);
const access = (key: string, roles: readonly string[], expiresAt: string | null = null) => ({
  access: { [key]: { roles, expiresAt } },
});

it('tells grants', () => {
  expect(sentencesFor({ access: {} }, access('group:reef-editors', ['METADATA_WRITE']))).toEqual([
    'Ann gave Reef Editors Metadata Write.',
  ]);
  expect(sentencesFor(access('group:gone', ['METADATA_WRITE']), { access: {} })).toEqual([
    'Ann took Metadata Write from the group gone.',
  ]);
  expect(
    sentencesFor(
      access('general', ['METADATA_READ']),
      access('general', ['METADATA_WRITE'], '2027-05-03T12:00:00Z'),
    ),
  ).toEqual([
    'Ann gave everybody signed in Metadata Write until 3 May 2027.',
    'Ann took Metadata Read from everybody signed in.',
  ]);
  expect(sentencesFor({ access: {} }, access('user:bob', []))).toEqual(['Ann added bob without a role.']);
  expect(sentencesFor(access('user:bob', []), { access: {} })).toEqual(['Ann removed bob, who had no role.']);
  expect(
    sentencesFor(
      access('user:bob', ['METADATA_READ'], '2027-05-03T12:00:00Z'),
      access('user:bob', ['METADATA_READ']),
    ),
  ).toEqual(['Ann took away the end for bob.']);
});

it('tells locks', () => {
  expect(sentencesFor({ lock: null }, { lock: { reason: 'Review' } })).toEqual([
    'Ann locked the resource: Review',
  ]);
  expect(sentencesFor({ lock: { reason: 'Review' } }, { lock: null, reason: 'Done' })).toEqual([
    'Ann unlocked the resource: Done',
  ]);
});

it('tells all else', () => {
  expect(sentencesFor(null, { name: 'Corals', access: {} })).toEqual(['Ann created the resource.']);
  expect(sentencesFor({ name: 'a', metadata: {} }, { name: 'b', metadata: { c: 1 } })).toEqual([
    'Ann changed the name and the metadata.',
  ]);
  expect(sentencesFor({}, { upload: { bytes: 1 } }, 'Begin upload')).toEqual(['Ann: Begin upload']);
});
