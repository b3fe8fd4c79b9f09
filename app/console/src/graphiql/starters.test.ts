import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSchema, getVariableValues, Kind, parse, validate } from 'graphql';
import type { OperationDefinitionNode } from 'graphql';
import { expect, test } from 'vitest';
import { STARTERS, WELCOME } from './starters';

const schema = buildSchema(readFileSync(join(import.meta.dirname, '../../../../schema.graphql'), 'utf8'));

/** Return the one operation of a text, which the schema allows. */
function operationOf(query: string): OperationDefinitionNode {
  const document = parse(query);
  expect(validate(schema, document)).toEqual([]);
  const [operation, ...rest] = document.definitions;
  expect(rest).toEqual([]);
  return operation?.kind === Kind.OPERATION_DEFINITION ? operation : expect.fail('no operation');
}

test.each(STARTERS)('the starter "$title" is valid, with its variables', ({ query, variables }) => {
  const operation = operationOf(query);
  const definitions = operation.variableDefinitions ?? [];
  const values: unknown = JSON.parse(variables === '' ? '{}' : variables);
  const inputs = Object(values);
  const { errors } = getVariableValues(schema, definitions, inputs);
  const names = definitions.map(({ variable }) => variable.name.value);

  expect(errors).toBeUndefined();
  expect(names).toEqual(expect.arrayContaining(Object.keys(inputs)));
});

test('every starter has a name of its own, a title and a sentence about it', () => {
  const names = STARTERS.map(({ query }) => operationOf(query).name?.value);
  expect(new Set(names).size).toBe(STARTERS.length);
  for (const { title, about } of STARTERS) {
    expect(title).toMatch(/^[A-Z]/);
    expect(about).toMatch(/\.$/);
  }
});

test('no line of the first text is cut off in a narrow editor', () => {
  expect(WELCOME.split('\n').filter((line) => line.length > 25)).toEqual([]);
});

test('the first text of a tab is valid and asks nothing of a field with arguments', () => {
  expect(operationOf(WELCOME).operation).toBe('query');
});
