import { Badge, Group, Stack, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { Bytes, Hidden, LinkTo, OrHidden, Time, joined } from '../shared';
import type { Column } from '../shared';
import type { UserRow } from './operations';
import { DEACTIVATED } from './query';
import { words } from './words';

export const SORTS = ['USER_NAME', 'DISPLAY_NAME', 'EMAIL', 'CREATED_AT', 'LAST_LOGIN_AT'] as const;
export type UserSort = (typeof SORTS)[number];

type UserColumn = Column<UserRow, UserSort>;

function Name({ user }: { readonly user: UserRow }): ReactNode {
  return (
    <Stack gap={0}>
      <LinkTo to="/settings/users/$userName" params={{ userName: user.userName }}>
        {user.userName}
      </LinkTo>
      {user.displayName === null ? null : (
        <Text span size="xs" c="dimmed">
          {user.displayName}
        </Text>
      )}
    </Stack>
  );
}

/** An email address breaks before its domain rather than inside a word. */
function Email({ user }: { readonly user: UserRow }): ReactNode {
  const [name, ...domain] = (user.email ?? '').split(/(?=@)/);
  return (
    <Text span inherit display="inline-block" miw="13ch">
      {name}
      {domain.length === 0 ? null : <wbr />}
      {domain}
    </Text>
  );
}

function State({ user }: { readonly user: UserRow }): ReactNode {
  const isDeactivated = user.roles?.some(({ name }) => name === DEACTIVATED) ?? false;
  return (
    <Group gap={4}>
      <Badge variant={isDeactivated ? 'default' : 'light'} tt="none" miw="max-content">
        {isDeactivated ? words.deactivated : words.active}
      </Badge>
      {user.isServiceAccount ? (
        <Badge variant="outline" tt="none" miw="max-content">
          {words.serviceAccount}
        </Badge>
      ) : null}
    </Group>
  );
}

function Storage({ user }: { readonly user: UserRow }): ReactNode {
  if (user.storage === null) {
    return <Hidden />;
  }
  return (
    <>
      <Bytes value={user.storage.usedBytes} />
      {user.storage.quotaBytes === null ? null : (
        <>
          {' of '}
          <Bytes value={user.storage.quotaBytes} />
        </>
      )}
    </>
  );
}

/** The names of the roles but `deactivated`, which is a state. */
export const roleNames = (roles: readonly { readonly name: string }[]): string[] =>
  roles.map(({ name }) => name).filter((name) => name !== DEACTIVATED);

export const COLUMNS: readonly UserColumn[] = [
  { key: 'userName', label: words.userName, sort: 'USER_NAME', cell: (user) => <Name user={user} /> },
  { key: 'email', label: words.email, sort: 'EMAIL', cell: (user) => <Email user={user} /> },
  {
    key: 'roles',
    label: words.roles,
    cell: ({ roles }) => (
      <OrHidden value={roles}>
        {(visibleRoles) => (
          <Text span inherit display="inline-block" miw="5ch">
            {joined(roleNames(visibleRoles)) || words.noRoles}
          </Text>
        )}
      </OrHidden>
    ),
  },
  {
    key: 'orgs',
    label: words.orgs,
    cell: ({ orgs }) => <OrHidden value={orgs}>{({ totalCount }) => totalCount}</OrHidden>,
  },
  {
    key: 'owns',
    label: words.owns,
    cell: ({ ownedResources }) => (
      <OrHidden value={ownedResources}>{({ totalCount }) => totalCount}</OrHidden>
    ),
  },
  { key: 'storage', label: words.storage, cell: (user) => <Storage user={user} /> },
  {
    key: 'created',
    label: words.created,
    sort: 'CREATED_AT',
    cell: ({ createdAt }) => <Time value={createdAt} />,
  },
  {
    key: 'lastLogin',
    label: words.lastLogin,
    sort: 'LAST_LOGIN_AT',
    cell: ({ lastLoginAt }) => <Time value={lastLoginAt} />,
  },
  { key: 'state', label: words.state, cell: (user) => <State user={user} /> },
];
