import { expect, it } from 'vitest';
import { exactBytes, shortBytes } from './bytes';

it('uses binary units', () => {
  expect(shortBytes(10_240 * 1_048_576)).toBe('10 GiB');
  expect(shortBytes(1536)).toBe('1.5 KiB');
  expect(shortBytes(1023)).toBe('1,023 bytes');
  expect(shortBytes(0)).toBe('0 bytes');
});

it('has the exact number', () => {
  expect(exactBytes(10_737_418_240)).toBe('10,737,418,240 bytes');
  expect(exactBytes(1)).toBe('1 byte');
});
