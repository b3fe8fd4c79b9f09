import type { ReactNode } from 'react';
import type { ListPage } from '../../api';
import type { Selected } from './useSelection';

/** A column. */
export interface Column<Row, Sort extends string> {
  readonly key: string;
  readonly label: string;
  readonly cell: (row: Row) => ReactNode;
  /** The field by which the API orders it, if it does. */
  readonly sort?: Sort;
  /** The text in a CSV file; without it the column is not in the file. */
  readonly csv?: (row: Row) => string;
}

/** An act on all ticked rows. */
export interface BulkAction {
  readonly label: (count: number) => string;
  readonly onRun: (items: readonly Selected[]) => void;
  readonly isDanger?: boolean;
}

/** A page of rows as connections have it; null if the viewer may not see it. */
export type Rows<Row> = Pick<ListPage<Row>, 'nodes' | 'totalCount'> & {
  readonly pageInfo: {
    readonly hasNextPage: boolean;
    readonly hasPreviousPage: boolean;
    readonly startCursor: string | null;
    readonly endCursor: string | null;
  };
};
