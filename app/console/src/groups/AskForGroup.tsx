import { Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { LinkedText } from '../shared';
import { words } from './words';

interface AskForGroupProps {
  /** What the settings of the registry say; null for nothing. */
  readonly contact: string | null;
}

/** Whom to ask for a group, for those who cannot change it themselves. */
export function AskForGroup({ contact }: AskForGroupProps): ReactNode {
  return contact === null ? null : (
    <Text size="sm">
      {words.ask}: <LinkedText text={contact} />
    </Text>
  );
}
