import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSchema, coerceInputValue, parse, validate } from 'graphql';
import { expect, test } from 'vitest';
import { draftOf, draftValue, rootFields } from './draft';

const schema = buildSchema(readFileSync(join(import.meta.dirname, '../../../../schema.graphql'), 'utf8'));

test.each(['query', 'mutation'] as const)('the draft of every %s field is valid', (kind) => {
  for (const field of rootFields(schema, kind)) {
    const { query, variables } = draftOf(kind, field);
    expect(validate(schema, parse(query)), query).toEqual([]);
    if (variables !== '') {
      expect(Object.keys(JSON.parse(variables)).length).toBeGreaterThan(0);
    }
  }
});

test('a draft of a list has its rows and its page', () => {
  const users = rootFields(schema, 'query').find(({ name }) => name === 'users');
  const { query } = draftOf('query', users ?? expect.fail());
  expect(query).toMatch(/query Users\(\$first: Int\)[\s\S]*nodes \{\n {6}[\s\S]*pageInfo/);
});

test('draft values have every required field', () => {
  const input = schema.getType('CreateOrgInput');
  expect(input !== undefined && 'getFields' in input).toBe(true);
  const field = rootFields(schema, 'mutation').find(({ name }) => name === 'createOrg');
  const [arg] = field?.args ?? [];
  const value = arg === undefined ? null : draftValue(arg.type, 0);
  expect(value).toEqual({ name: '', slug: '' });
  expect(() => (arg === undefined ? null : coerceInputValue(value, arg.type))).not.toThrow();
});
