import { expect, it } from 'vitest';
import type { ResourceRole } from '../api';
import type { AccessChange } from './operations';
import { ownAdminAfter } from './ownAdmin';
import type { OwnSource } from './ownAdmin';

const ADMIN: ResourceRole[] = ['ADMIN'];
const SOON = '2027-05-03T12:00:00Z';
const LATE = '2028-05-03T12:00:00Z';
const group = { id: 'g1', displayName: 'Reef editors' };
const user = { id: 'u1', userName: 'ann', displayName: null };
const change = (values: Partial<AccessChange>): AccessChange => ({
  kind: 'USER',
  group: null,
  user,
  userCount: null,
  gained: [],
  lost: [],
  expiresAt: null,
  ...values,
});
const source = (values: Partial<OwnSource>): OwnSource => ({
  kind: 'USER',
  effectiveRoles: ADMIN,
  expiresAt: null,
  group: null,
  ...values,
});
const ofGroup = { kind: 'GROUP', group } as const;

it('is lost when every way is', () => {
  const viaGroup = source({ kind: 'GROUP', group: { id: 'g1' } });
  const changes = [change({ ...ofGroup, user: null, lost: ADMIN })];
  expect(ownAdminAfter(changes, [viaGroup], 'u1')).toEqual({ kind: 'lost' });
  expect(ownAdminAfter(changes, [viaGroup, source({ kind: 'OWNER' })], 'u1')).toEqual({ kind: 'kept' });
  expect(ownAdminAfter([change({ lost: ADMIN })], [source({})], 'u2')).toEqual({ kind: 'kept' });
});

it('ends with the last way', () => {
  expect(ownAdminAfter([change({ expiresAt: SOON })], [source({})], 'u1')).toEqual({
    kind: 'ends',
    at: SOON,
  });
  const two = [source({}), source({ kind: 'GROUP', group: { id: 'g1' }, expiresAt: LATE })];
  expect(ownAdminAfter([change({ expiresAt: SOON })], two, 'u1')).toEqual({ kind: 'ends', at: LATE });
  expect(ownAdminAfter([change({ lost: ADMIN })], two, 'u1')).toEqual({ kind: 'ends', at: LATE });
});

it('is kept when it is longer, or as before', () => {
  expect(ownAdminAfter([change({ expiresAt: LATE })], [source({ expiresAt: SOON })], 'u1').kind).toBe('kept');
  expect(ownAdminAfter([], [source({ expiresAt: SOON })], 'u1').kind).toBe('kept');
  expect(ownAdminAfter([change({ expiresAt: SOON })], [], 'u1').kind).toBe('kept');
});

it('counts a new grant of one’s own', () => {
  const viaGroup = source({ kind: 'GROUP', group: { id: 'g1' } });
  const changes = [change({ ...ofGroup, user: null, lost: ADMIN }), change({ gained: ADMIN })];
  expect(ownAdminAfter(changes, [viaGroup], 'u1').kind).toBe('kept');
});
