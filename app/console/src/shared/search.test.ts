import { expect, test } from 'vitest';
import { searchText } from './search';

test.each([
  ['', ''],
  ['   ', ''],
  [' reef  corals ', 'reef corals'],
  ['1 2 3 4 5 6 7 8 9', '1 2 3 4 5 6 7 8'],
  ['x'.repeat(300), 'x'.repeat(200)],
  [`${'y'.repeat(199)} z`, 'y'.repeat(199)],
])('the search for %j asks for %j', (typed, expected) => {
  expect(searchText(typed)).toBe(expected);
});
