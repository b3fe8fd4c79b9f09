import { expect, it } from 'vitest';
import { operationNameOf } from './operationName';

it.each([
  ['query New { a }', 'Old', undefined],
  ['{ a }', 'Old', undefined],
  ['query New { a }', 'New', 'New'],
  ['query One { a } query Two { a }', 'Two', 'Two'],
  ['query One { a } fragment Old on T { a }', 'Old', undefined],
  ['query One { a }', null, undefined],
])('a name that was right before the last edit is not sent: %s', (query, name, sent) => {
  expect(operationNameOf(query, name)).toBe(sent);
});

it.each([['query One { a } query Two { a }'], ['query {']])(
  'the server says what is wrong where the operation is not clear: %s',
  (query) => {
    expect(operationNameOf(query, 'Old')).toBe('Old');
  },
);
