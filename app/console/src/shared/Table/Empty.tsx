import { Button, Stack, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import type { TableState } from './useTable';
import { words } from './words';

interface EmptyProps<Sort extends string> {
  readonly table: TableState<Sort>;
  readonly empty: ReactNode;
}

/** A list without rows: nothing yet, or nothing found. */
export function Empty<Sort extends string>({ table, empty }: EmptyProps<Sort>): ReactNode {
  return (
    <Stack align="flex-start" py="lg">
      {table.isFiltered ? (
        <>
          <Text role="status">{words.nothingFound}</Text>
          <Button variant="default" onClick={table.clearFilters}>
            {words.clearFilters}
          </Button>
        </>
      ) : (
        (empty ?? <Text>{words.nothingYet}</Text>)
      )}
    </Stack>
  );
}
