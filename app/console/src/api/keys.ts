import { makeOperation } from '@urql/core';
import type { Exchange, Operation, OperationResult } from '@urql/core';
import { map, pipe, tap } from 'wonka';
import { failuresOf } from './errors';
import { isObject, isWriting } from './operation';

const KEY_BYTES = 16;
const HEX = 16;

const newKey = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(KEY_BYTES)), (byte) =>
    byte.toString(HEX).padStart(2, '0'),
  ).join('');

/** Milliseconds that a lost change keeps its key. Later, the same change is a new intention. */
export const KEPT_MS = 600_000;

interface Lost {
  readonly clientMutationKey: string;
  readonly until: number;
}

const keyOf = ({ variables }: Operation): string => {
  const input: unknown = isObject(variables) ? variables['input'] : undefined;
  return isObject(input) ? String(input['clientMutationKey']) : '';
};

/** Return what is known of a change after an answer; `open` if the answer says nothing about it. */
function outcomeOf({ data, error }: OperationResult): 'made' | 'rejected' | 'lost' | 'open' {
  const kinds = error === undefined ? [] : failuresOf(error, 'change').map(({ kind }) => kind);
  if (kinds.includes('unknownOutcome')) {
    return 'lost';
  }
  const payloads = isObject(data) ? Object.values(data).filter(isObject) : [];
  if (payloads.some(({ errors }) => Array.isArray(errors) && errors.length > 0)) {
    return 'rejected';
  }
  return payloads.length > 0 || kinds.includes('committed') ? 'made' : 'open';
}

/**
 * Make the exchange that sends an idempotency key with every change. A change whose answer was lost keeps its key: the
 * same change, sent again, is made once. After another change was made it is a new one, since that may have undone it.
 * `make` returns a new key, and `now` the time in milliseconds.
 */
export function makeKeys(make: () => string = newKey, now: () => number = Date.now): Exchange {
  const lost = new Map<number, Lost>();
  const withKey = (operation: Operation): Operation => {
    const variables: unknown = operation.variables;
    if (!isWriting(operation) || !isObject(variables) || !isObject(variables['input'])) {
      return operation;
    }
    const before = lost.get(operation.key);
    const clientMutationKey =
      before !== undefined && now() < before.until ? before.clientMutationKey : make();
    const keyed = { ...variables, input: { ...variables['input'], clientMutationKey } };
    return makeOperation(operation.kind, { ...operation, variables: keyed }, operation.context);
  };
  const settle = (result: OperationResult): void => {
    const { operation } = result;
    const outcome = isWriting(operation) ? outcomeOf(result) : 'open';
    if (outcome === 'lost') {
      lost.set(operation.key, { clientMutationKey: keyOf(operation), until: now() + KEPT_MS });
    } else if (outcome === 'made') {
      lost.clear();
    } else if (outcome === 'rejected') {
      lost.delete(operation.key);
    }
  };
  return ({ forward }) =>
    (operations$) =>
      pipe(operations$, map(withKey), forward, tap(settle));
}
