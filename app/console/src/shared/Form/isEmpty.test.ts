import { expect, test } from 'vitest';
import { isEmpty } from './isEmpty';

test('a required field is empty without a text or a choice', () => {
  expect(['', '  ', [], 'a', ['a'], false].map((value) => isEmpty(value))).toEqual([
    true,
    true,
    true,
    false,
    false,
    false,
  ]);
});

test('blanks are text in a password', () => {
  expect(isEmpty('', true)).toBe(true);
  expect(isEmpty('  ', true)).toBe(false);
});
