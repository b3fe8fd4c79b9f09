import { Button, Group, Text } from '@mantine/core';
import { IconDownload } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import type { ReadAll } from '../../api';
import { download, toCsv } from '../csv';
import { Failures } from '../Failures';
import { words as shared } from '../words';
import type { Column } from './types';
import { useReading } from './useReading';
import { words } from './words';

interface CsvButtonProps<Row, Sort extends string> {
  readonly readAll: ReadAll<Row>;
  readonly name: string;
  readonly columns: readonly Column<Row, Sort>[];
}

/** Writes all that matches into a CSV file. */
export function CsvButton<Row, Sort extends string>(props: CsvButtonProps<Row, Sort>): ReactNode {
  const { readAll, name, columns } = props;
  const { start, stop, progress, failures } = useReading(readAll);
  const write = async (): Promise<void> => {
    const result = await start(Number.POSITIVE_INFINITY);
    if (result.isDone) {
      const parts = columns.flatMap(({ label, csv }) => (csv === undefined ? [] : [{ label, csv }]));
      const lines = result.rows.map((row) => parts.map(({ csv }) => csv(row)));
      download(`${name}.csv`, toCsv([parts.map(({ label }) => label), ...lines]));
    }
  };
  if (progress !== null) {
    return (
      <Group gap="xs">
        <Text size="sm" role="status">
          {words.reading(progress.read, progress.total)}
        </Text>
        <Button variant="default" onClick={stop}>
          {shared.stop}
        </Button>
      </Group>
    );
  }
  return (
    <>
      <Button
        variant="default"
        leftSection={<IconDownload size={16} aria-hidden />}
        onClick={() => void write()}
      >
        {words.csv}
      </Button>
      <Failures failures={failures} />
    </>
  );
}
