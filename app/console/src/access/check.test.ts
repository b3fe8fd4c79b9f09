import { expect, test } from 'vitest';
import type { Failure } from '../api';
import { isUnknownUser } from './check';

const MISSING: Failure = { kind: 'notFound', message: 'It is not there.' };
const load = (resource: object | null, user: { id: string } | null, failures: readonly Failure[]): boolean =>
  isUnknownUser({
    status: 'ready',
    data: { resource: resource === null ? null : { id: 'r', org: null }, user },
    isRefreshing: false,
    failures,
    again: () => undefined,
  });

test('a user that is not found is told from a resource that is gone and from other failures', () => {
  expect(load({}, null, [MISSING, MISSING, MISSING])).toBe(true);
  expect(load(null, null, [MISSING])).toBe(false);
  expect(load({}, { id: 'u' }, [MISSING])).toBe(false);
  expect(load({}, null, [])).toBe(false);
  expect(load({}, null, [MISSING, { kind: 'unavailable', message: '' }])).toBe(false);
});
