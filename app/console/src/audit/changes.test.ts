import { expect, test } from 'vitest';
import { differencesOf, fieldWords, isTruncated } from './changes';

test('fields of both states stand side by side', () => {
  expect(differencesOf({ name: 'Reef', roles: ['user'] }, { name: 'Reefs', email: null })).toEqual([
    { field: 'name', before: 'Reef', after: 'Reefs' },
    { field: 'roles', before: '[\n  "user"\n]', after: undefined },
    { field: 'email', before: undefined, after: 'null' },
  ]);
});

test('a created or deleted object has one side', () => {
  expect(differencesOf(null, { slug: '6644' })).toEqual([
    { field: 'slug', before: undefined, after: '6644' },
  ]);
  expect(differencesOf({ slug: '6644' }, null)).toEqual([
    { field: 'slug', before: '6644', after: undefined },
  ]);
});

test('values that were left out are told, and are no field', () => {
  expect(differencesOf({ truncated: true }, {})).toEqual([]);
  expect(isTruncated({}, { truncated: true })).toBe(true);
  expect(isTruncated({}, null)).toBe(false);
});

test('fields have words', () => {
  expect(fieldWords('lastLoginAt')).toBe('Last login at');
});
