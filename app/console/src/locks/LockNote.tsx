import { Alert, Text } from '@mantine/core';
import { IconLock } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { Time } from '../shared';
import type { LockState } from './operations';
import { words } from './words';

/** Who locked a resource, when and why. */
export function LockNote({ lock }: { readonly lock: LockState }): ReactNode {
  const who = lock.lockedBy?.displayName ?? lock.lockedByName ?? words.system;
  return (
    <Alert color="yellow" variant="light" icon={<IconLock aria-hidden />} role="note">
      <Text size="sm" fw={600}>
        {words.locked(who)}
      </Text>
      <Text size="sm">{lock.reason}</Text>
      <Text size="sm">
        <Time value={lock.createdAt} />
      </Text>
    </Alert>
  );
}
