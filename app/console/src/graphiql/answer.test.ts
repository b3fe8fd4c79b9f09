import { expect, test } from 'vitest';
import { codesOf, executorOf, nextCursorOf, statsOf } from './answer';

test('the first list with more rows gives the cursor', () => {
  const users = { nodes: [], pageInfo: { hasNextPage: true, endCursor: 'abc' } };
  expect(nextCursorOf({ viewer: { id: '1' }, users })).toBe('abc');
  expect(nextCursorOf({ users: { pageInfo: { hasNextPage: false, endCursor: 'abc' } } })).toBeNull();
  expect(nextCursorOf(null)).toBeNull();
});

test('statistics have words', () => {
  const body = { extensions: { stats: { sqlStatements: 2, milliseconds: 1.2345, nested: {} } } };
  expect(statsOf(body)).toEqual([
    ['sql statements', '2'],
    ['milliseconds', '1.23'],
  ]);
  expect(statsOf({})).toEqual([]);
});

test('codes of errors', () => {
  expect(codesOf({ errors: [{ message: 'x', extensions: { code: 'UNAUTHENTICATED' } }, {}] })).toEqual([
    'UNAUTHENTICATED',
  ]);
});

test('the executor has a reason or none', () => {
  expect(executorOf('reference; reason="introspection"')).toEqual({
    name: 'reference',
    reason: 'introspection',
  });
  expect(executorOf('plan')).toEqual({ name: 'plan', reason: null });
});
