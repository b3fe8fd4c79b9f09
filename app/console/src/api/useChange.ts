import { useCallback, useMemo, useRef, useState } from 'react';
import type { AnyVariables, OperationResult, TypedDocumentNode } from '@urql/core';
import { useClient } from 'urql';
import { failuresOf, fieldOf, problemOf } from './errors';
import type { Failure, Problem } from './errors';
import { isWriting } from './operation';
import { useCountdown } from './useCountdown';
import { words } from './words';

interface PayloadLike {
  readonly errors: readonly Problem[];
}

export interface ChangeOptions<Data, Payload extends PayloadLike> {
  /** The payload in the answer, such as `(data) => data.createUser`. */
  readonly payload: (data: Data) => Payload | null;
  /** Types to read again that the answer does not name, such as those of a deleted object. */
  readonly touches?: readonly string[];
}

export type Outcome<Payload> =
  | { readonly isDone: true; readonly payload: Payload }
  | {
      readonly isDone: false;
      readonly failures: readonly Failure[];
      /** The payload with the errors, if one came: what is stored now, after a CONFLICT. */
      readonly rejected?: Payload;
    };

/** A mutation with what a form or a button needs to know of it. */
export interface Change<Variables, Payload> {
  /** Send it once. A second call while it runs is not sent. */
  readonly run: (variables: Variables) => Promise<Outcome<Payload>>;
  readonly isBusy: boolean;
  readonly failures: readonly Failure[];
  /** Messages by form field, such as `userName` or `members.3.user`. */
  readonly fieldErrors: ReadonlyMap<string, string>;
  /** The failures of no field. */
  readonly topFailures: readonly Failure[];
  /** Seconds until it may be sent again; 0 for now. */
  readonly wait: number;
  /** Forget the failures. */
  readonly clear: () => void;
}

const NOTHING: readonly Failure[] = [];
const BUSY: readonly Failure[] = [];
const OFFLINE: readonly Failure[] = [{ kind: 'unreachable', message: words.offline }];
const NO_PAYLOAD: Failure = { kind: 'internal', message: words.internal, errorId: null };

/** Return what came of a change. Every error keeps what was typed: the caller changes nothing then. */
export function outcomeOf<Data, Payload extends PayloadLike>(
  { data, error, operation }: Pick<OperationResult<Data>, 'data' | 'error' | 'operation'>,
  payloadOf: (data: Data) => Payload | null,
): Outcome<Payload> {
  const payload = data === undefined || data === null ? null : payloadOf(data);
  if (payload === null || error !== undefined) {
    const request = isWriting(operation) ? 'change' : 'read';
    return { isDone: false, failures: error === undefined ? [NO_PAYLOAD] : failuresOf(error, request) };
  }
  return payload.errors.length > 0
    ? { isDone: false, failures: payload.errors.map(problemOf), rejected: payload }
    : { isDone: true, payload };
}

export function useChange<Data, Variables extends AnyVariables, Payload extends PayloadLike>(
  mutation: TypedDocumentNode<Data, Variables>,
  options: ChangeOptions<Data, Payload>,
): Change<Variables, Payload> {
  const client = useClient();
  const [isBusy, setIsBusy] = useState(false);
  const [failures, setFailures] = useState(NOTHING);
  const isSending = useRef(false);
  const wait = useCountdown(failures);
  const { payload: payloadOf, touches = [] } = options;

  const run = async (variables: Variables): Promise<Outcome<Payload>> => {
    if (isSending.current) {
      return { isDone: false, failures: BUSY };
    }
    if (!navigator.onLine) {
      setFailures(OFFLINE);
      return { isDone: false, failures: OFFLINE };
    }
    isSending.current = true;
    setIsBusy(true);
    setFailures(NOTHING);
    const result = await client
      .mutation<Data, AnyVariables>(mutation, variables, { additionalTypenames: [...touches] })
      .toPromise();
    const outcome = outcomeOf(result, payloadOf);
    isSending.current = false;
    setIsBusy(false);
    setFailures(outcome.isDone ? NOTHING : outcome.failures);
    return outcome;
  };

  const clear = useCallback(() => setFailures(NOTHING), []);
  return { run, isBusy, failures, wait, clear, ...useSorted(failures) };
}

type Sorted = Pick<Change<unknown, unknown>, 'fieldErrors' | 'topFailures'>;

function useSorted(failures: readonly Failure[]): Sorted {
  return useMemo(() => {
    const fieldErrors = new Map<string, string>();
    for (const failure of failures) {
      const field = fieldOf(failure);
      if (field !== '' && !fieldErrors.has(field)) {
        fieldErrors.set(field, failure.message);
      }
    }
    return { fieldErrors, topFailures: failures.filter((failure) => fieldOf(failure) === '') };
  }, [failures]);
}
