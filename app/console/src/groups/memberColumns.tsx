import { Stack, Text } from '@mantine/core';
import { EndsText, Time } from '../shared';
import type { Column } from '../shared';
import type { Member } from './operations';
import { memberWords as words } from './words';

export type MemberSort = 'USER_NAME' | 'ADDED_AT' | 'EXPIRES_AT';
export const SORTS = ['USER_NAME', 'ADDED_AT', 'EXPIRES_AT'] as const;

export const COLUMNS: readonly Column<Member, MemberSort>[] = [
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
    key: 'manager',
    label: words.manager,
    cell: ({ isManager }) => (isManager ? words.yes : words.no),
    csv: ({ isManager }) => (isManager ? words.yes : words.no),
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
    cell: ({ addedByName }) => addedByName ?? words.byNobody,
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
