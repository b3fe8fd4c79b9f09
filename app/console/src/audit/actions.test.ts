import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ACTIONS, actionFilter, actionName, actionWords } from './actions';

const SCHEMA = join(import.meta.dirname, '../../../../schema.graphql');

test('the list has every mutation of the schema', () => {
  const text = readFileSync(SCHEMA, 'utf8').replaceAll(/"""[\s\S]*?"""/g, '');
  const [, fields = ''] = /^type Mutation \{([\s\S]*?)^\}/m.exec(text) ?? [];
  const names = [...fields.matchAll(/^ {2}(\w+)[(:]/gm)].map(([, name]) => name);
  expect(ACTIONS).toEqual(names.sort());
});

test('words and names lead to each other', () => {
  for (const name of ACTIONS) {
    expect(actionName(actionWords(name))).toBe(name);
  }
  expect(actionWords('createApiToken')).toBe('Create API token');
});

test('a known act is exact, anything else is a beginning', () => {
  expect(actionFilter('Delete user')).toEqual({ eq: 'deleteUser' });
  expect(actionFilter('create')).toEqual({ startsWith: 'create' });
});

test.each([
  ['login', 'Sign in'],
  ['logout', 'Sign out'],
  ['removeEnded', 'Removed what had ended'],
])('%s has words of its own, by which it is found', (name, words) => {
  expect(actionWords(name)).toBe(words);
  expect(actionFilter(words.toUpperCase())).toEqual({ eq: name });
});
