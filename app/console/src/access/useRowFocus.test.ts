import { expect, it } from 'vitest';
import { successors } from './useRowFocus';

it('goes to the next row, then to the one before', () => {
  expect(successors(['a', 'b', 'c', 'd'], ['b'])[0]).toBe('c');
  expect(successors(['a', 'b', 'c', 'd'], ['d'])[0]).toBe('c');
  expect(successors(['a', 'b', 'c', 'd'], ['b', 'd'])[0]).toBe('a');
  expect(successors(['a'], ['a'])).toEqual([]);
});
