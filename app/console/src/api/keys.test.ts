import { Client, CombinedError, createRequest, gql, makeErrorResult, makeOperation } from '@urql/core';
import type { Operation, OperationResult } from '@urql/core';
import { fromArray, map, pipe, subscribe } from 'wonka';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { KEPT_MS, makeKeys } from './keys';

const client = new Client({ url: 'http://console.test/graphql', exchanges: [], preferGetMethod: false });
const CREATE = gql(
  'mutation CreateOrg($input: CreateOrgInput!) { createOrg(input: $input) { errors { code } } }',
);
const LOST = new CombinedError({ networkError: new Error('lost') });

const change = (input: object, document = CREATE): Operation =>
  makeOperation('mutation', createRequest(document, { input }), { url: '', requestPolicy: 'network-only' });

type Answer = (operation: Operation) => OperationResult;

const payload =
  (errors: readonly unknown[]): Answer =>
  (operation) => ({
    operation,
    data: { createOrg: { errors } },
    stale: false,
    hasNext: false,
  });
const answered = payload([]);
const rejected = payload([{ code: 'CONFLICT' }]);
const lost: Answer = (operation) => makeErrorResult(operation, LOST);
const refused =
  (code: string): Answer =>
  (operation) => ({
    operation,
    error: new CombinedError({ graphQLErrors: [{ message: '', extensions: { code } }] }),
    stale: false,
    hasNext: false,
  });

/** Sends the operations through one exchange, and returns the keys that went out. */
function keysOf(steps: readonly (readonly [Operation, Answer])[], pause = 0): unknown[] {
  let count = 0;
  let time = 0;
  const sent: unknown[] = [];
  const exchange = makeKeys(
    () => `key ${String((count += 1))}`,
    () => (time += pause),
  );
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

it('keeps the key of a lost change through answers that say nothing about it', () => {
  const tide = change({ slug: 'tide' });
  for (const code of ['SERVICE_UNAVAILABLE', 'TIMEOUT', 'RATE_LIMITED', 'UNAUTHENTICATED']) {
    const steps = [lost, refused(code), answered, answered].map((answer) => [tide, answer] as const);
    expect(keysOf(steps)).toEqual(['key 1', 'key 1', 'key 1', 'key 2']);
  }
  expect(
    keysOf([
      [tide, lost],
      [change({ slug: 'ebb' }), rejected],
      [tide, rejected],
      [tide, answered],
    ]),
  ).toEqual(['key 1', 'key 2', 'key 1', 'key 3']);
  expect(
    keysOf(
      [tide, tide].map((each) => [each, lost] as const),
      KEPT_MS,
    ),
  ).toEqual(['key 1', 'key 2']);
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
