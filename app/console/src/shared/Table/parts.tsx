import { Checkbox, UnstyledButton, VisuallyHidden } from '@mantine/core';
import { IconArrowDown, IconArrowUp, IconArrowsSort } from '@tabler/icons-react';
import { useId, useRef } from 'react';
import type { MouseEvent, ReactNode } from 'react';
import { FIRST_PAGE } from './place';
import type { TableProps } from './Table';
import classes from './Table.module.css';
import type { Column, Rows } from './types';
import type { TableState } from './useTable';
import { words } from './words';

interface HeadCellProps<Row, Sort extends string> {
  readonly table: TableState<Sort>;
  readonly column: Column<Row, Sort>;
}

/** The head of a column. It is a button where the API orders. */
function HeadCell<Row, Sort extends string>({ table, column }: HeadCellProps<Row, Sort>): ReactNode {
  const { sort, label } = column;
  const { place, go } = table;
  if (sort === undefined) {
    return <th scope="col">{label}</th>;
  }
  const isSorted = place.sort === sort;
  const isAscending = place.direction === 'ASC';
  const Icon = !isSorted ? IconArrowsSort : isAscending ? IconArrowUp : IconArrowDown;
  const dir = isSorted && isAscending ? 'DESC' : 'ASC';
  return (
    <th scope="col" aria-sort={isSorted ? (isAscending ? 'ascending' : 'descending') : 'none'}>
      <UnstyledButton
        className={classes['sort'] ?? ''}
        onClick={() => go({ ...FIRST_PAGE, sort, dir })}
        fw="inherit"
        fz="inherit"
      >
        {label}
        <Icon size={14} aria-hidden />
      </UnstyledButton>
    </th>
  );
}

interface PartProps<Row, Sort extends string> extends TableProps<Row, Sort> {
  readonly rows: Rows<Row>;
  readonly isSelectable: boolean;
}

/** Return the rows of this page that can be ticked. */
function tickable<Row, Sort extends string>({ rows, rowId, rowName, fixedTick }: PartProps<Row, Sort>) {
  return rows.nodes
    .filter((row) => fixedTick?.(row) === undefined)
    .map((row) => ({ id: rowId(row), name: rowName(row) }));
}

export function Head<Row, Sort extends string>(
  props: PartProps<Row, Sort> & { readonly hasActions: boolean },
): ReactNode {
  const { table, columns, isSelectable, hasActions } = props;
  const items = tickable(props);
  const ticked = items.filter(({ id }) => table.selection.has(id)).length;
  const isAll = ticked === items.length && ticked > 0;
  return (
    <thead>
      <tr>
        {isSelectable ? (
          <th scope="col" className={classes['tick'] ?? ''}>
            <Checkbox
              aria-label={words.selectPage}
              checked={isAll}
              indeterminate={ticked > 0 && !isAll}
              onChange={() => table.selection.set(items, !isAll)}
            />
          </th>
        ) : null}
        {columns.map((column) => (
          <HeadCell key={column.key} table={table} column={column} />
        ))}
        {hasActions ? (
          <th scope="col" className={classes['actions'] ?? ''}>
            {words.actions}
          </th>
        ) : null}
      </tr>
    </thead>
  );
}

export function Body<Row, Sort extends string>(
  props: PartProps<Row, Sort> & { readonly isPicker: boolean },
): ReactNode {
  const { table, rows, columns, rowId, rowName, actions, isSelectable, isPicker, fixedTick } = props;
  const ids = useId();
  const boxId = (id: string): string => `${ids}-${id}`;
  const lastTicked = useRef<string | null>(null);
  const items = tickable(props);

  const toggle = (id: string, event: Pick<MouseEvent, 'shiftKey'>): void => {
    const isSelected = !table.selection.has(id);
    const end = items.findIndex((item) => item.id === id);
    const start = event.shiftKey ? items.findIndex((item) => item.id === lastTicked.current) : -1;
    const range = start < 0 ? [end, end] : [Math.min(start, end), Math.max(start, end)];
    table.selection.set(items.slice(range[0], (range[1] ?? end) + 1), isSelected);
    lastTicked.current = id;
  };

  return (
    <tbody>
      {rows.nodes.map((row) => {
        const id = rowId(row);
        const fixed = fixedTick?.(row);
        return (
          <tr key={id} data-selected={table.selection.has(id) || undefined}>
            {isSelectable ? (
              <td className={classes['tick'] ?? ''}>
                <Checkbox
                  aria-label={words.selectRow(rowName(row))}
                  checked={fixed ?? table.selection.has(id)}
                  disabled={fixed !== undefined}
                  onClick={(event) => toggle(id, event)}
                  onChange={() => undefined}
                  id={boxId(id)}
                />
                {isPicker && fixed === undefined ? (
                  <label className={classes['whole'] ?? ''} htmlFor={boxId(id)}>
                    <VisuallyHidden>{words.selectRow(rowName(row))}</VisuallyHidden>
                  </label>
                ) : null}
              </td>
            ) : null}
            {columns.map((column) => (
              <td key={column.key} data-label={column.label}>
                <div className={classes['cell'] ?? ''}>{column.cell(row)}</div>
              </td>
            ))}
            {actions === undefined ? null : <td className={classes['actions'] ?? ''}>{actions(row)}</td>}
          </tr>
        );
      })}
    </tbody>
  );
}
