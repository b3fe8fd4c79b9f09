import { Stack } from '@mantine/core';
import type { ReactNode } from 'react';
import type { ReadAll } from '../../api';
import { Hidden } from '../Hidden';
import { useDensity } from '../preferences';
import { BulkBar } from './BulkBar';
import { Body, Head } from './parts';
import { Empty } from './Empty';
import { Pager } from './Pager';
import classes from './Table.module.css';
import { Toolbar } from './Toolbar';
import type { BulkAction, Column, Rows } from './types';
import type { TableState } from './useTable';

export interface TableProps<Row, Sort extends string> {
  /** What the table lists, for screen readers. */
  readonly label: string;
  readonly table: TableState<Sort>;
  /** The page of the connection; null if it is hidden. */
  readonly rows: Rows<Row> | null;
  readonly columns: readonly Column<Row, Sort>[];
  readonly rowId: (row: Row) => string;
  /** How the row is called in the names of its buttons. */
  readonly rowName: (row: Row) => string;
  /** Buttons at the end of a row; their names carry the row. */
  readonly actions?: (row: Row) => ReactNode;
  /** Acts on ticked rows; with them rows can be ticked. */
  readonly bulk?: readonly BulkAction[];
  /** The table is a picker, as in a dialog: a click anywhere on a row ticks it. */
  readonly isSelectable?: boolean;
  /** Rows whose tick cannot be changed, with its state. */
  readonly fixedTick?: (row: Row) => boolean | undefined;
  /** Reads all that matches, for CSV and "Select all"; from `useReadAll`. */
  readonly readAll?: ReadAll<Row>;
  /** The name of the CSV file; without it there is none. */
  readonly csvName?: string;
  /** Whether the list can be searched; yes by default. */
  readonly hasSearch?: boolean;
  /** Selects and switches beside the search. */
  readonly filters?: ReactNode;
  /** What stands for a list with nothing in it yet: words and a button to make one. */
  readonly empty?: ReactNode;
  readonly isRefreshing?: boolean;
}

/** The one table of the console: search, order, pages, selection, CSV; cards on a narrow screen. */
export function Table<Row, Sort extends string>(props: TableProps<Row, Sort>): ReactNode {
  const { table, rows, label, bulk = [], isRefreshing = false } = props;
  const [density] = useDensity();
  if (rows === null) {
    return <Hidden />;
  }
  const isSelectable = props.isSelectable === true || bulk.length > 0;
  const isEmpty = rows.nodes.length === 0 && table.place.after === null && table.place.before === null;
  return (
    <Stack gap="sm">
      <Toolbar {...props} />
      {bulk.length > 0 && (!isEmpty || table.selection.items.length > 0) ? (
        <BulkBar {...props} bulk={bulk} rows={rows} />
      ) : null}
      {isEmpty ? (
        <Empty table={table} empty={props.empty} />
      ) : (
        <table
          aria-label={label}
          aria-busy={isRefreshing}
          className={classes['table'] ?? ''}
          data-density={density}
          data-picks={props.isSelectable || undefined}
        >
          <Head {...props} rows={rows} isSelectable={isSelectable} hasActions={props.actions !== undefined} />
          <Body {...props} rows={rows} isSelectable={isSelectable} isPicker={props.isSelectable === true} />
        </table>
      )}
      {isEmpty ? null : <Pager table={table} rows={rows} />}
    </Stack>
  );
}
