import { Group, SimpleGrid, Stack, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { LinkTo, OrHidden, Time, sharedWords } from '../../shared';
import type { UserDetails } from './operations';
import { words } from './words';

function Fact({ label, children }: { readonly label: string; readonly children: ReactNode }): ReactNode {
  return (
    <Stack gap={0}>
      <Text component="dt" size="xs" c="dimmed">
        {label}
      </Text>
      <Text component="dd" m={0} size="sm">
        {children}
      </Text>
    </Stack>
  );
}

/** What is known of a user. The form below has what the viewer can change. */
export function Facts({ user }: { readonly user: UserDetails }): ReactNode {
  const isDeactivated = user.roles?.some(({ name }) => name === 'deactivated') ?? false;
  return (
    <SimpleGrid component="dl" cols={{ base: 1, xs: 2 }} m={0} spacing="sm">
      <Fact label={words.userName}>{user.userName}</Fact>
      {user.viewerCan.update ? null : (
        <Fact label={words.email}>
          {user.viewerCan.seeDetails ? (user.email ?? sharedWords.none) : sharedWords.hidden}
        </Fact>
      )}
      <Fact label={words.kind}>{user.isServiceAccount ? words.serviceAccount : words.person}</Fact>
      <Fact label={words.state}>
        <OrHidden value={user.roles}>{() => (isDeactivated ? words.deactivated : words.active)}</OrHidden>
      </Fact>
      <Fact label={words.created}>
        <Time value={user.createdAt} />
      </Fact>
      <Fact label={words.lastLogin}>
        {user.viewerCan.seeDetails ? <Time value={user.lastLoginAt} /> : sharedWords.hidden}
      </Fact>
      <Fact label={words.roles}>
        <OrHidden value={user.roles}>
          {(roles) => (
            <Group gap="xs" component="span">
              {roles.length === 0 ? sharedWords.none : null}
              {roles.map(({ id, name }) => (
                <LinkTo key={id} to="/settings/roles" search={{ role: name }} size="sm">
                  {name}
                </LinkTo>
              ))}
            </Group>
          )}
        </OrHidden>
      </Fact>
    </SimpleGrid>
  );
}
