import { Button, Group, Skeleton, Stack, Text } from '@mantine/core';
import { useEffect, useState } from 'react';
import type { ReactNode } from 'react';
import type { Failure, Load } from '../../api';
import { useAddress } from '../address';
import { Failures } from '../Failures';
import { words } from '../words';

const SKELETON_AFTER = 200;
const STILL_AFTER = 5_000;
const ROWS = [0, 1, 2, 3, 4, 5];

/** Return whether this long has passed since the component appeared. */
function useElapsed(milliseconds: number): boolean {
  const [isElapsed, setIsElapsed] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setIsElapsed(true), milliseconds);
    return () => clearTimeout(timer);
  }, [milliseconds]);
  return isElapsed;
}

interface WaitingProps {
  readonly onStop?: () => void;
  /** The shape of what comes; rows by default. */
  readonly skeleton?: ReactNode;
}

/** Nothing at first, then the shape of the page, then words and Stop. */
export function Waiting({ onStop, skeleton }: WaitingProps): ReactNode {
  const isSlow = useElapsed(SKELETON_AFTER);
  const isVerySlow = useElapsed(STILL_AFTER);
  if (!isSlow) {
    return null;
  }
  return (
    <Stack aria-busy="true" role="status" aria-label={words.loading}>
      {isVerySlow ? (
        <Group>
          <Text size="sm">{words.stillWorking}</Text>
          {onStop === undefined ? null : (
            <Button size="xs" variant="default" onClick={onStop}>
              {words.stop}
            </Button>
          )}
        </Group>
      ) : null}
      {skeleton ?? ROWS.map((row) => <Skeleton key={row} height={row === 0 ? 32 : 20} />)}
    </Stack>
  );
}

const isCursor = (name: string): boolean => /(?:^|\.)(?:after|before)$/.test(name);

interface FailedProps {
  readonly failures: readonly Failure[];
  readonly onAgain: () => void;
}

/** What failed. A cursor of the address that leads nowhere, such as that of a link that was cut, is removed. */
function Failed({ failures, onAgain }: FailedProps): ReactNode {
  const [address, change] = useAddress();
  const isStale = failures.some(({ kind }) => kind === 'staleCursor');
  const cursors = isStale ? Object.keys(address).filter(isCursor) : [];
  const names = cursors.join(' ');
  useEffect(() => {
    if (names !== '') {
      change(Object.fromEntries(names.split(' ').map((name) => [name, undefined])), { isStep: false });
    }
  }, [names, change]);
  return names === '' ? <Failures failures={failures} onAgain={onAgain} /> : null;
}

interface LoadedProps<Data> {
  readonly load: Load<Data>;
  readonly skeleton?: ReactNode;
  readonly children: (data: Data) => ReactNode;
}

/** What was read, or what is in its place: a skeleton, an error with Try again. */
export function Loaded<Data>({ load, skeleton, children }: LoadedProps<Data>): ReactNode {
  switch (load.status) {
    case 'loading':
      return <Waiting onStop={load.stop} skeleton={skeleton} />;
    case 'stopped':
      return (
        <Group>
          <Text>{words.stopped}</Text>
          <Button variant="default" onClick={load.again}>
            {words.tryAgain}
          </Button>
        </Group>
      );
    case 'failed':
      return <Failed failures={load.failures} onAgain={load.again} />;
    case 'ready':
      return (
        <>
          <Failed failures={load.failures} onAgain={load.again} />
          {children(load.data)}
        </>
      );
  }
}
