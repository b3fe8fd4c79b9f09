import { expect, test } from 'vitest';
import type { Leaver } from './operations';
import { stepsOf } from './steps';

const org = { id: 'o1', slug: 'reef', name: 'Reef Lab' };

const bob: Leaver = {
  id: 'u1',
  userName: 'bob',
  displayName: null,
  roles: [],
  viewerCan: { deactivate: true, delete: true },
  ownedOrgs: { nodes: [org], totalCount: 1 },
  ownedResources: { nodes: [{ id: 'r1', name: 'Corals', lock: null }], totalCount: 1 },
  orgs: { edges: [{ level: 'READ_ONLY', node: { ...org, id: 'o2' } }], totalCount: 1 },
  groups: {
    edges: [{ isManager: false, node: { id: 'g1', slug: 'editors', displayName: 'Reef editors' } }],
    totalCount: 1,
  },
  apiTokens: { nodes: [{ id: 't1', name: 'sync', prefix: 'ost_1' }], totalCount: 1 },
  accessibleResources: null,
};

test('the account comes first, then what is owned, then what is held', () => {
  const wishes = { successor: 'cleo', removesMemberships: true, revokesTokens: true };

  expect(stepsOf(bob, wishes).map(({ kind, id }) => `${kind} ${id}`)).toEqual([
    'deactivate u1',
    'org o1',
    'resource r1',
    'membership o2',
    'group g1',
    'token t1',
  ]);
});

test('without a successor nothing is handed over; what is done already is left out', () => {
  const wishes = { successor: '', removesMemberships: false, revokesTokens: false };

  expect(stepsOf({ ...bob, viewerCan: { deactivate: false, delete: true } }, wishes)).toEqual([]);
});
