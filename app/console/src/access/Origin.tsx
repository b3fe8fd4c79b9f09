import { Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { Time, isolated } from '../shared';
import type { Origin } from './configuration';
import { words } from './words';

const giverOf = ({ grantedBy, grantedByName }: Origin): string =>
  grantedBy?.displayName ?? grantedByName ?? words.system;

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
      {isolated(giverOf(origin))}, <Time value={origin.grantedAt} />
    </Text>
  );
}
