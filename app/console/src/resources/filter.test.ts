import { expect, it } from 'vitest';
import { filterOf } from './filter';

const NOTHING = {
  search: null,
  type: undefined,
  org: undefined,
  owner: undefined,
  lock: undefined,
  since: undefined,
  role: undefined,
};

it('has a condition for each filter that is set, and none for others', () => {
  expect(filterOf(NOTHING)).toEqual({});
  expect(filterOf({ ...NOTHING, org: 'reef', owner: 'ann', lock: 'no', since: '2026-03-01' })).toEqual({
    orgSlug: { eq: 'reef' },
    ownerUserName: { eq: 'ann' },
    isLocked: false,
    updatedAt: { gte: new Date('2026-03-01T00:00').toISOString() },
  });
});

it('takes what is no day for no filter', () => {
  expect(filterOf({ ...NOTHING, since: 'soon' })).toEqual({});
  expect(filterOf({ ...NOTHING, since: '2026-99-99' })).toEqual({});
});
