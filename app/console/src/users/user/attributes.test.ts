import { expect, test } from 'vitest';
import { attributesOf, objectOf, problemOf, quotaOf, rowsOf } from './attributes';

test('attributes come back as they were', () => {
  const attributes = {
    text: 'Reefs',
    formula: '=1+1',
    number: 10240,
    text5: '5',
    quoted: '"x"',
    yes: true,
    nothing: null,
    list: ['a', 1],
    empty: '',
  };

  expect(attributesOf(rowsOf(attributes))).toEqual(attributes);
});

test('a key may be there once, and not be empty', () => {
  const row = { key: 'a', value: '' };

  expect(problemOf([row, { ...row, key: 'b' }])).toBeNull();
  expect(problemOf([row, { ...row, key: ' a' }])).toMatchObject({ index: 1, part: 'key' });
  expect(problemOf([{ ...row, key: ' ' }])).toMatchObject({ index: 0, part: 'key', text: 'A key is empty.' });
});

test('a number that would lose digits is refused, also one that came so, and digits of a text are not', () => {
  const rows = rowsOf({ text: '9007199254740993', phone: 'at 9007199254740993', most: 2 ** 53 - 1 });

  expect(problemOf(rows)).toBeNull();
  expect(problemOf([...rows, { key: 'typed', value: ' [9007199254740993]' }])).toMatchObject({
    index: 3,
    part: 'value',
  });
  expect(problemOf(rowsOf({ read: 2 ** 53 }))?.text).toContain('The value of read ');
});

test('metadata that is no object has no attributes', () => {
  expect(objectOf(null)).toEqual({});
  expect(objectOf(['a'])).toEqual({});
});

test('a quota is a whole number of megabytes, or none', () => {
  expect(['', ' 10240 ', '0', '1.5', '-1', '1 GB'].map(quotaOf)).toEqual([
    null,
    10240,
    0,
    undefined,
    undefined,
    undefined,
  ]);
});
