import { Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { Time } from '../shared';
import type { Origin } from './configuration';
import { words } from './words';

/** Who granted an entry, and when. Undefined stands for an entry that is not saved yet. */
export function OriginText({ origin }: { readonly origin: Origin | undefined }): ReactNode {
  if (origin === undefined || origin.grantedAt === null) {
    return (
      <Text span size="sm" c="dimmed">
        {origin === undefined ? words.notGrantedYet : words.notRecorded}
      </Text>
    );
  }
  return (
    <Text span size="sm">
      {origin.grantedByName ?? words.system}, <Time value={origin.grantedAt} />
    </Text>
  );
}
