import { Client, CombinedError, createRequest, gql, makeErrorResult, makeOperation } from '@urql/core';
import type { Operation, OperationResult } from '@urql/core';
import { fromArray, map, pipe, subscribe } from 'wonka';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { makeKeys } from './keys';

const client = new Client({ url: 'http://console.test/graphql', exchanges: [], preferGetMethod: false });
const CREATE = gql(
  'mutation CreateOrg($input: CreateOrgInput!) { createOrg(input: $input) { errors { code } } }',
);
const LOST = new CombinedError({ networkError: new Error('lost') });

const change = (input: object, document = CREATE): Operation =>
  makeOperation('mutation', createRequest(document, { input }), { url: '', requestPolicy: 'network-only' });

type Answer = (operation: Operation) => OperationResult;

const answered: Answer = (operation) => ({ operation, data: {}, stale: false, hasNext: false });
const lost: Answer = (operation) => makeErrorResult(operation, LOST);

/** Sends the operations through one exchange, and returns the keys that went out. */
function keysOf(steps: readonly (readonly [Operation, Answer])[]): unknown[] {
  let made = 0;
  const sent: unknown[] = [];
  const exchange = makeKeys(() => `key ${String((made += 1))}`);
  const answers = steps.map(([, answer]) => answer);
  const io = exchange({
    client,
    dispatchDebug: () => undefined,
    forward: map((operation) => {
      sent.push(operation.variables?.['input']?.clientMutationKey);
      return (answers[sent.length - 1] ?? answered)(operation);
    }),
  });
  pipe(
    fromArray(steps.map(([operation]) => operation)),
    io,
    subscribe(() => undefined),
  );
  return sent;
}

it('gives each change a key, and keeps it as long as its answer is lost', () => {
  const tide = change({ slug: 'tide' });
  expect(
    keysOf([
      [tide, lost],
      [tide, lost],
      [tide, answered],
      [tide, answered],
    ]),
  ).toEqual(['key 1', 'key 1', 'key 1', 'key 2']);
});

it('makes a lost change again after another, which may have undone it', () => {
  const tide = change({ slug: 'tide' });
  const check = change({ slug: 'ebb', validateOnly: true });
  expect(
    keysOf([
      [tide, lost],
      [check, answered],
      [tide, lost],
      [change({ slug: 'ebb' }), answered],
      [tide, answered],
    ]),
  ).toEqual(['key 1', undefined, 'key 1', 'key 2', 'key 3']);
});

it('gives no key to a check, to a sign-in and to a change without an input', () => {
  const signIn = gql('mutation SignIn($input: LoginInput!) { login(input: $input) { errors { code } } }');
  const signOut = gql('mutation SignOut { logout { errors { code } } }');
  expect(
    keysOf([
      [change({ slug: 'tide', validateOnly: true }), answered],
      [change({ userName: 'ann' }, signIn), answered],
      [
        makeOperation('mutation', createRequest(signOut, {}), { url: '', requestPolicy: 'network-only' }),
        answered,
      ],
    ]),
  ).toEqual([undefined, undefined, undefined]);
});

it('may do so: every input but that of a sign-in has the field', () => {
  const schema = readFileSync(join(import.meta.dirname, '../../../../schema.graphql'), 'utf8');
  const inputs = [...schema.matchAll(/^ {2}\w+\(\s*(?:"""[^"]*"""\s*)?input: (\w+)!/gm)].map(
    ([, name]) => name,
  );
  const without = inputs.filter(
    (name) => !new RegExp(`^input ${name ?? ''} \\{[^}]*\\bclientMutationKey: `, 'm').test(schema),
  );
  expect(inputs.length).toBeGreaterThan(50);
  expect(without).toEqual(['LoginInput']);
});
