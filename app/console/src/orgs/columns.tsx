import { Stack, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { LinkTo, phrase } from '../shared';
import type { OrgRow } from './operations';
import { words } from './words';

/** Name and slug of an organization. */
export const orgColumn = {
  key: 'name',
  label: words.name,
  sort: 'NAME',
  cell: ({ name, slug }: OrgRow): ReactNode => (
    <Stack gap={0}>
      <LinkTo to="/organizations/$slug" params={{ slug }}>
        {name}
      </LinkTo>
      {slug === name ? null : (
        <Text span size="xs" c="dimmed">
          {slug}
        </Text>
      )}
    </Stack>
  ),
} as const;

interface OwnerTextProps {
  readonly user: { readonly userName: string; readonly displayName?: string | null } | null;
}

/** A person: the name to show, and the user name if it differs. */
export function OwnerText({ user }: OwnerTextProps): ReactNode {
  if (user === null) {
    return words.noOwner;
  }
  const { userName, displayName = null } = user;
  return displayName === null || displayName === userName ? userName : phrase`${displayName} (${userName})`;
}
