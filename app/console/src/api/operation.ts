import type { Operation } from '@urql/core';

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

/** Return the name of an operation; empty if it has none. */
export function nameOf({ query }: Pick<Operation, 'query'>): string {
  const [first] = query.definitions;
  return first?.kind === 'OperationDefinition' ? (first.name?.value ?? '') : '';
}

const SESSION_NAMES = new Set(['SignIn', 'SignOut']);

/** Return whether an operation begins or ends a session. */
export const isOfSession = (operation: Pick<Operation, 'query'>): boolean =>
  SESSION_NAMES.has(nameOf(operation));

/** Return whether an operation changes what is stored. A check with `validateOnly` and a sign-in do not. */
export function isWriting(operation: Pick<Operation, 'kind' | 'query' | 'variables'>): boolean {
  const variables: unknown = operation.variables;
  const input = isObject(variables) ? variables['input'] : undefined;
  const isCheck = isObject(input) && input['validateOnly'] === true;
  return operation.kind === 'mutation' && !isCheck && !isOfSession(operation);
}
