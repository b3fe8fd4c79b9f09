import { expect, test } from 'vitest';
import { problemOf } from './errors';

test('what is not there may be hidden; other messages stay', () => {
  const messageOf = (message: string): string =>
    problemOf({ code: 'NOT_FOUND', message, path: ['input', 'org'] }).message;
  expect(messageOf('There is no such resource.')).toBe('This resource is not there, or not visible to you.');
  expect(messageOf('There is no such org.')).toBe('This organization is not there, or not visible to you.');
  expect(messageOf('There is no role `editor`.')).toBe('There is no role editor.');
});

test('names in messages have no marks, and turn no word beside them', () => {
  const messageOf = (message: string): string =>
    problemOf({ code: 'CONFLICT', message, path: ['input', 'slug'] }).message;
  expect(messageOf('The slug `odd-org` is taken.')).toBe('The slug odd-org is taken.');
  expect(messageOf('A name has no `/` nor `\\`.')).toBe('A name has no / nor \\.');
  expect(messageOf('The role `\u05d0` exists.')).toBe('The role \u2068\u05d0\u2069 exists.');
  expect(messageOf('One ` alone stays.')).toBe('One ` alone stays.');
});
