import { Code, List, Stack, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { EndsText, Hidden, LinkTo, OrHidden, Time } from '../shared';
import type { Column } from '../shared';
import type { TokenRow } from './operations';
import { words } from './words';

type TokenColumn = Column<TokenRow, never>;

/** To what a token is limited: organizations and resources. */
function Limits({ token }: { readonly token: TokenRow }): ReactNode {
  if (!token.isLimited) {
    return words.unlimited;
  }
  const names = [...(token.orgs ?? []), ...(token.resources ?? [])];
  return (
    <List size="sm" listStyleType="none">
      {names.map(({ id, name }) => (
        <List.Item key={id}>{name}</List.Item>
      ))}
      {token.orgs === null && token.resources === null ? <Hidden /> : null}
    </List>
  );
}

export const OWNER: TokenColumn = {
  key: 'owner',
  label: words.owner,
  cell: ({ user }) => (
    <OrHidden value={user}>
      {({ userName }) => (
        <LinkTo to="/settings/users/$userName" params={{ userName }}>
          {userName}
        </LinkTo>
      )}
    </OrHidden>
  ),
  csv: ({ user }) => user?.userName ?? '',
};

export const COLUMNS: readonly TokenColumn[] = [
  {
    key: 'name',
    label: words.name,
    cell: ({ name, prefix }) => (
      <Stack gap={2} align="flex-start">
        <Text span size="sm">
          {name}
        </Text>
        <Code>{prefix}…</Code>
      </Stack>
    ),
    csv: ({ name }) => name,
  },
  {
    key: 'permissions',
    label: words.permissions,
    cell: ({ permissions }) => (permissions.length === 0 ? words.noPermissions : permissions.join(', ')),
    csv: ({ permissions }) => permissions.join(' '),
  },
  { key: 'limits', label: words.limits, cell: (token) => <Limits token={token} /> },
  {
    key: 'created',
    label: words.created,
    cell: ({ createdAt }) => <Time value={createdAt} />,
    csv: ({ createdAt }) => createdAt,
  },
  {
    key: 'lastUsed',
    label: words.lastUsed,
    cell: ({ lastUsedAt }) => <Time value={lastUsedAt} />,
    csv: ({ lastUsedAt }) => lastUsedAt ?? '',
  },
  {
    key: 'ends',
    label: words.ends,
    cell: ({ expiresAt }) => <EndsText value={expiresAt} />,
    csv: ({ expiresAt }) => expiresAt ?? '',
  },
];
