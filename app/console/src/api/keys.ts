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

/** Return whether it is not known after this answer if the change was made. */
const isUnknown = ({ error }: Pick<OperationResult, 'error'>): boolean =>
  error !== undefined && failuresOf(error, 'change').some(({ kind }) => kind === 'unknownOutcome');

const keyOf = ({ variables }: Operation): string => {
  const input: unknown = isObject(variables) ? variables['input'] : undefined;
  return isObject(input) ? String(input['clientMutationKey']) : '';
};

/**
 * Make the exchange that sends an idempotency key with every change. A change whose answer was lost keeps its key: the
 * same change, sent again, is made once. After the answer to another change it is a new one, since that may have undone
 * it. `make` returns a new key.
 */
export function makeKeys(make: () => string = newKey): Exchange {
  const lost = new Map<number, string>();
  const withKey = (operation: Operation): Operation => {
    const variables: unknown = operation.variables;
    if (!isWriting(operation) || !isObject(variables) || !isObject(variables['input'])) {
      return operation;
    }
    const clientMutationKey = lost.get(operation.key) ?? make();
    const keyed = { ...variables, input: { ...variables['input'], clientMutationKey } };
    return makeOperation(operation.kind, { ...operation, variables: keyed }, operation.context);
  };
  const settle = (result: OperationResult): void => {
    const { operation } = result;
    if (!isWriting(operation)) {
      return;
    }
    if (isUnknown(result)) {
      lost.set(operation.key, keyOf(operation));
    } else {
      lost.clear();
    }
  };
  return ({ forward }) =>
    (operations$) =>
      pipe(operations$, map(withKey), forward, tap(settle));
}
