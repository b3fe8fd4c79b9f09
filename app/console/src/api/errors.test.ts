import { expect, test } from 'vitest';
import { problemOf } from './errors';

test('what is not there may be hidden; names of other messages are in quotes', () => {
  const messageOf = (message: string): string =>
    problemOf({ code: 'NOT_FOUND', message, path: ['input', 'org'] }).message;
  expect(messageOf('There is no such resource.')).toBe('This resource is not there, or not visible to you.');
  expect(messageOf('There is no such org.')).toBe('This organization is not there, or not visible to you.');
  expect(messageOf('There is no role `editor`.')).toBe('There is no role “editor”.');
});
