import { expect, test } from 'vitest';
import { attributeTexts } from './attributes';

test('attributes have words, and the limit of the storage a unit', () => {
  expect(
    attributeTexts({ maxStorageMB: 20480, year: 1998, tags: ['a', 'b'], none: null, is: true, of: { a: 1 } }),
  ).toEqual(['Storage limit: 20 GiB', 'year: 1998', 'tags: a, b', 'none: None', 'is: Yes', 'of: {"a":1}']);
  expect(attributeTexts({ maxStorageMB: 'much' })).toEqual(['maxStorageMB: much']);
  expect(attributeTexts(null)).toEqual([]);
});
