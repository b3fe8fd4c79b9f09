import { useCallback } from 'react';
import type { AnyVariables, TypedDocumentNode } from '@urql/core';
import { useClient } from 'urql';
import { failuresOf } from './errors';
import type { Failure } from './errors';

/** A page of a list, as every connection has it. */
export interface ListPage<Row> {
  readonly nodes: readonly Row[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
  /** Null while it is not known: a page can read it in an operation of its own. */
  readonly totalCount: number | null;
}

export interface ReadAllOptions {
  readonly signal: AbortSignal;
  /** Stop after this number of rows. */
  readonly most: number;
  readonly onProgress: (read: number, total: number | null) => void;
}

export type AllRows<Row> =
  | { readonly isDone: true; readonly rows: readonly Row[] }
  | { readonly isDone: false; readonly failures: readonly Failure[] };

export type ReadAll<Row> = (options: ReadAllOptions) => Promise<AllRows<Row>>;

const PAGE_SIZE = 100;
const STOPPED = { isDone: false, failures: [] } as const;

/**
 * Return a function that reads all rows of a list, page by page of 100. `variables` makes the variables of one page;
 * `pick` finds the connection in the answer.
 */
export function useReadAll<Data, Variables extends AnyVariables, Row>(
  query: TypedDocumentNode<Data, Variables>,
  variables: (page: { first: number; after: string | null }) => Variables,
  pick: (data: Data) => ListPage<Row> | null,
): ReadAll<Row> {
  const client = useClient();
  return useCallback(
    async ({ signal, most, onProgress }) => {
      const rows: Row[] = [];
      let after: string | null = null;
      do {
        if (signal.aborted) {
          return STOPPED;
        }
        const request = variables({ first: PAGE_SIZE, after });
        const result = await client
          .query<Data, AnyVariables>(query, request, { requestPolicy: 'network-only' })
          .toPromise();
        const page: ListPage<Row> | null = result.data === undefined ? null : pick(result.data);
        if (page === null) {
          return { isDone: false, failures: result.error ? failuresOf(result.error, 'read') : [] };
        }
        rows.push(...page.nodes);
        onProgress(Math.min(rows.length, most), page.totalCount);
        after = page.pageInfo.hasNextPage && rows.length < most ? page.pageInfo.endCursor : null;
      } while (after !== null);
      return { isDone: true, rows: rows.slice(0, most) };
    },
    [client, query, variables, pick],
  );
}
