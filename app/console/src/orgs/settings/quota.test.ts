import { expect, test } from 'vitest';
import { fromMegabytes, toMegabytes } from './quota';

test('a quota of 10240 MB is 10 GiB', () => {
  expect(fromMegabytes(' 10240 ')).toBe(10 * 1024 ** 3);
  expect(toMegabytes(10 * 1024 ** 3)).toBe('10240');
});

test('nothing is no quota, and 0 is one', () => {
  expect(fromMegabytes(' ')).toBeNull();
  expect(fromMegabytes('0')).toBe(0);
  expect(toMegabytes(null)).toBe('');
});

test('what is no whole number is no quota', () => {
  expect(['-1', '1.5', '1e3', 'many', '9999999999'].map(fromMegabytes)).toEqual(Array(5).fill(undefined));
});
