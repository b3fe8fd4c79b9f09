import { Button, Group, Text } from '@mantine/core';
import { IconDownload } from '@tabler/icons-react';
import { useState } from 'react';
import type { ReactNode } from 'react';
import type { Failure, ReadAll } from '../api';
import { Failures, download, sharedWords, toCsv } from '../shared';
import { useReading } from '../shared/Table/useReading';
import { words as tableWords } from '../shared/Table/words';
import { exportProblem, linesOf } from './csvExport';
import type { ExportedUser } from './operations';
import { words } from './words';

/** Writes all users that match into a CSV file, or says which user cannot be written as they are. */
export function ExportUsers({ readAll }: { readonly readAll: ReadAll<ExportedUser> }): ReactNode {
  const { start, stop, progress, failures } = useReading(readAll);
  const [refusals, setRefusals] = useState<readonly Failure[]>([]);
  const write = async (): Promise<void> => {
    setRefusals([]);
    const result = await start(Number.POSITIVE_INFINITY);
    const problem = result.isDone ? exportProblem(result.rows) : null;
    if (problem !== null) {
      setRefusals([{ kind: 'refused', message: problem }]);
    } else if (result.isDone) {
      download('users.csv', toCsv(linesOf(result.rows)));
    }
  };
  if (progress !== null) {
    return (
      <Group gap="xs">
        <Text size="sm" role="status">
          {tableWords.reading(progress.read, progress.total)}
        </Text>
        <Button variant="default" onClick={stop}>
          {sharedWords.stop}
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
        {words.exportUsers}
      </Button>
      <Failures failures={[...failures, ...refusals]} />
    </>
  );
}
