import { expect, test } from 'vitest';
import { hasUnsafeNumber } from './numbers';

test.each(['9007199254740992', '{"a":[-9007199254740993]}', '1e20', '9007199254740993.0', '1e999'])(
  'a number that JavaScript cannot keep is noticed: %s',
  (json) => {
    expect(hasUnsafeNumber(json)).toBe(true);
  },
);

test.each([
  '9007199254740991',
  '{"a 1":1.0,"b":0.12345}',
  '{"9007199254740993":"\\" 9007199254740993"}',
  '-1e3',
])('other numbers, and digits in texts, are left alone: %s', (json) => {
  expect(hasUnsafeNumber(json)).toBe(false);
});
