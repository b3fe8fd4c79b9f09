import { expect, test } from 'vitest';
import { parseSearch, stringifySearch } from './address';

test('an address that was damaged has no control characters', () => {
  expect(parseSearch('?q=re%00ef&org=%07&after=a%0Ab')).toEqual({ q: 'reef', after: 'ab' });
});

test('an address is read as it was written, and empty values are left out', () => {
  expect(stringifySearch({ q: 'a b', org: '', size: undefined })).toBe('?q=a+b');
  expect(parseSearch('?q=a+b')).toEqual({ q: 'a b' });
});
