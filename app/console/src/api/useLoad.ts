import { useMemo, useState } from 'react';
import type { AnyVariables, TypedDocumentNode } from '@urql/core';
import { useQuery } from 'urql';
import { failuresOf } from './errors';
import type { Failure } from './errors';
import { keptAfter, useLast } from './useLast';
import { useOnline } from './useOnline';

/** What came of a read so far. */
export type Load<Data> =
  | { readonly status: 'loading'; readonly stop: () => void }
  | { readonly status: 'stopped'; readonly again: () => void }
  | { readonly status: 'failed'; readonly failures: readonly Failure[]; readonly again: () => void }
  | {
      readonly status: 'ready';
      readonly data: Data;
      /** Newer data is on its way; until then the page shows what it has. */
      readonly isRefreshing: boolean;
      /** Errors of single fields, which are null. */
      readonly failures: readonly Failure[];
      readonly again: () => void;
    };

export interface LoadOptions {
  /** Do not read yet. */
  readonly isPaused?: boolean;
}

/**
 * Read an operation. When its variables change, the old request is aborted and the old data stays until the new data
 * is there. A change that names the same types reads it again.
 */
export function useLoad<Data, Variables extends AnyVariables>(
  query: TypedDocumentNode<Data, Variables>,
  variables: Variables,
  { isPaused = false }: LoadOptions = {},
): Load<Data> {
  const [isStopped, setIsStopped] = useState(false);
  const isOnline = useOnline();
  const [{ data, error, fetching, stale }, ask] = useQuery<Data, AnyVariables>({
    query,
    variables,
    // Without a network, what was read before stays. With it again, all is read again.
    requestPolicy: isOnline ? 'cache-and-network' : 'cache-first',
    pause: isPaused || isStopped,
  });
  const isNew = error === undefined && !fetching && !stale;
  const failures = useMemo(() => (error === undefined ? [] : failuresOf(error, 'read')), [error]);
  const last = useLast(JSON.stringify(variables), isNew ? data : undefined, failures);
  return useMemo<Load<Data>>(() => {
    const again = (): void => (isStopped ? setIsStopped(false) : ask({ requestPolicy: 'network-only' }));
    const current = data ?? keptAfter(failures, last);
    if (current !== null) {
      return { status: 'ready', data: current, isRefreshing: fetching || stale, failures, again };
    }
    if (isStopped) {
      return { status: 'stopped', again };
    }
    return failures.length > 0 && !fetching
      ? { status: 'failed', failures, again }
      : { status: 'loading', stop: () => setIsStopped(true) };
  }, [data, last, failures, fetching, stale, isStopped, ask]);
}
