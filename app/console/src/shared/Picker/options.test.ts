import { expect, test } from 'vitest';
import { pickedOf } from './options';

const OPTIONS = [
  { value: 'reef', label: 'Reef Lab' },
  { value: 'two', label: 'Twin' },
  { value: 'three', label: 'Twin' },
  { value: 'twice', label: 'reef' },
];

test.each([
  ['reef lab ', 'reef'],
  ['Reef', 'Reef'],
  ['Twin', 'Twin'],
  ['unknown', 'unknown'],
  ['', ''],
])('%j picks %j', (text, picked) => {
  expect(pickedOf(text, OPTIONS)).toBe(picked);
});
