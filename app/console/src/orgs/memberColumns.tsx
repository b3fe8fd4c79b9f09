import { Stack, Text } from '@mantine/core';
import { EndsText, Time } from '../shared';
import type { Column } from '../shared';
import type { Level } from './operations';
import type { Member } from './tabOperations';
import { memberWords as words } from './words';

export type MemberSort = 'USER_NAME' | 'LEVEL' | 'ADDED_AT' | 'EXPIRES_AT';

/** The columns of the members; the levels give the words. */
export function columnsOf(levels: readonly Level[]): readonly Column<Member, MemberSort>[] {
  const labels = new Map(levels.map(({ level, label }) => [level, label]));
  return [
    {
      key: 'person',
      label: words.person,
      sort: 'USER_NAME',
      cell: ({ node }) => (
        <Stack gap={0}>
          <span>{node.userName}</span>
          {node.displayName === null ? null : (
            <Text span size="xs" c="dimmed">
              {node.displayName}
            </Text>
          )}
        </Stack>
      ),
      csv: ({ node }) => node.userName,
    },
    {
      key: 'level',
      label: words.level,
      sort: 'LEVEL',
      cell: ({ level }) => labels.get(level) ?? level,
      csv: ({ level }) => labels.get(level) ?? level,
    },
    {
      key: 'ends',
      label: words.ends,
      sort: 'EXPIRES_AT',
      cell: ({ expiresAt }) => <EndsText value={expiresAt} />,
      csv: ({ expiresAt }) => expiresAt ?? '',
    },
    {
      key: 'by',
      label: words.by,
      cell: ({ addedBy, addedByName }) => addedBy?.displayName ?? addedByName ?? words.byNobody,
      csv: ({ addedByName }) => addedByName ?? '',
    },
    {
      key: 'since',
      label: words.since,
      sort: 'ADDED_AT',
      cell: ({ addedAt }) => <Time value={addedAt} />,
      csv: ({ addedAt }) => addedAt,
    },
  ];
}
