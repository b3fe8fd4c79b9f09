import { Button, Group, Paper, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { Failures } from '../Failures';
import { words as shared } from '../words';
import type { TableProps } from './Table';
import type { BulkAction } from './types';
import { useReading } from './useReading';
import { words } from './words';

const MOST_SELECTED = 1_000;

interface BulkBarProps<Row, Sort extends string> extends TableProps<Row, Sort> {
  readonly bulk: readonly BulkAction[];
  readonly total: number | null;
}

/** Says how many rows are ticked, and offers the acts on them. */
export function BulkBar<Row, Sort extends string>(props: BulkBarProps<Row, Sort>): ReactNode {
  const { table, bulk, total, readAll, rowId, rowName, fixedTick } = props;
  const { items, set, clear } = table.selection;
  const { start, stop, progress, failures } = useReading(readAll);
  if (items.length === 0) {
    return null;
  }
  const selectAll = async (): Promise<void> => {
    const result = await start(MOST_SELECTED);
    if (result.isDone) {
      const rows = result.rows.filter((row) => fixedTick?.(row) === undefined);
      set(
        rows.map((row) => ({ id: rowId(row), name: rowName(row) })),
        true,
      );
    }
  };
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
            {...(isDanger ? { c: 'red' } : {})}
            onClick={() => onRun(items)}
          >
            {label(items.length)}
          </Button>
        ))}
        {readAll !== undefined &&
        total !== null &&
        progress === null &&
        items.length < Math.min(total, MOST_SELECTED) ? (
          <Button size="xs" variant="subtle" onClick={() => void selectAll()}>
            {total > MOST_SELECTED ? words.tooMany(MOST_SELECTED) : words.selectAll(total)}
          </Button>
        ) : null}
        {progress === null ? null : (
          <Button size="xs" variant="subtle" onClick={stop}>
            {`${shared.stop} (${words.reading(progress.read, progress.total)})`}
          </Button>
        )}
        <Button size="xs" variant="subtle" onClick={clear}>
          {words.clearSelection}
        </Button>
      </Group>
      <Failures failures={failures} />
    </Paper>
  );
}
