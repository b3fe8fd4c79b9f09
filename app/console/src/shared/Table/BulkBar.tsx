import { Button, Group, Paper, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { Failures } from '../Failures';
import { words as shared } from '../words';
import type { TableProps } from './Table';
import type { BulkAction, Rows } from './types';
import { useReading } from './useReading';
import { words } from './words';

const MOST_SELECTED = 1_000;

interface BulkBarProps<Row, Sort extends string> extends TableProps<Row, Sort> {
  readonly bulk: readonly BulkAction[];
  readonly rows: Rows<Row>;
}

/**
 * Says how many rows are ticked, and offers the acts on them. It stays when no row is ticked: a bar that comes with the
 * first tick would push the rows away from below the pointer.
 */
export function BulkBar<Row, Sort extends string>(props: BulkBarProps<Row, Sort>): ReactNode {
  const { table, bulk } = props;
  const { items, clear } = table.selection;
  const isNone = items.length === 0;
  return (
    <Paper withBorder p="xs">
      <Group gap="xs">
        <Text size="sm" role="status">
          {words.selected(items.length)}
        </Text>
        {bulk.map(({ label, onRun, isDanger = false }) => (
          <Button
            key={label(0)}
            size="xs"
            variant="default"
            disabled={isNone}
            {...(isDanger && !isNone ? { c: 'red' } : {})}
            onClick={() => onRun(items)}
          >
            {label(items.length)}
          </Button>
        ))}
        <SelectAll {...props} />
        <Button size="xs" variant="subtle" disabled={isNone} onClick={clear}>
          {words.clearSelection}
        </Button>
      </Group>
    </Paper>
  );
}

/** Ticks all rows that match, where there are more than those of this page. */
function SelectAll<Row, Sort extends string>(props: BulkBarProps<Row, Sort>): ReactNode {
  const { table, rows, readAll, rowId, rowName, fixedTick } = props;
  const { items, set } = table.selection;
  const { start, stop, progress, failures } = useReading(readAll);
  const total = rows.totalCount ?? 0;
  if (readAll === undefined || total <= rows.nodes.length) {
    return null;
  }
  if (progress !== null) {
    return (
      <Button size="xs" variant="subtle" onClick={stop}>
        {`${shared.stop} (${words.reading(progress.read, progress.total)})`}
      </Button>
    );
  }
  const selectAll = async (): Promise<void> => {
    const result = await start(MOST_SELECTED);
    if (result.isDone) {
      const rest = result.rows.filter((row) => fixedTick?.(row) === undefined);
      set(
        rest.map((row) => ({ id: rowId(row), name: rowName(row) })),
        true,
      );
    }
  };
  const isAll = items.length >= Math.min(total, MOST_SELECTED);
  return (
    <>
      <Button size="xs" variant="subtle" disabled={isAll} onClick={() => void selectAll()}>
        {total > MOST_SELECTED ? words.tooMany(MOST_SELECTED) : words.selectAll(total)}
      </Button>
      <Failures failures={failures} />
    </>
  );
}
