import { Button, Group, List, Stack, Text, Title } from '@mantine/core';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { useLoad } from '../../api';
import type { ResultOf } from '../../api';
import { EndsText, Hidden, LinkTo, Loaded } from '../../shared';
import { UserBelongsQuery } from './operations';
import type { UserDetails } from './operations';
import { AddToOrg, RemoveFromOrg } from './OrgDialogs';
import { words } from './words';

type Belongs = NonNullable<ResultOf<typeof UserBelongsQuery>['user']>;
type Levels = ResultOf<typeof UserBelongsQuery>['orgLevels'];
type Membership = NonNullable<Belongs['orgs']>['edges'][number];

/** The organizations and groups of a user. */
export function BelongsTab({ user }: { readonly user: UserDetails }): ReactNode {
  const load = useLoad(UserBelongsQuery, { userName: user.userName });
  const [isAdding, setIsAdding] = useState(false);
  const [leaving, setLeaving] = useState<Membership | null>(null);
  return (
    <Loaded load={load}>
      {({ user: withMemberships, orgLevels }) =>
        withMemberships === null ? (
          <Hidden />
        ) : (
          <Stack gap="xl" maw={720}>
            <Part title={words.memberOf}>
              <Orgs user={user} orgs={withMemberships.orgs} levels={orgLevels} onLeave={setLeaving} />
              <Button variant="default" onClick={() => setIsAdding(true)}>
                {words.addToOrg}
              </Button>
            </Part>
            <Part title={words.owns}>
              <Owned orgs={withMemberships.ownedOrgs} />
            </Part>
            <Part title={words.groups}>
              <Groups groups={withMemberships.groups} />
            </Part>
            {isAdding ? (
              <AddToOrg {...{ user, levels: orgLevels }} onClose={() => setIsAdding(false)} />
            ) : null}
            {leaving === null ? null : (
              <RemoveFromOrg user={user} org={leaving.node} onClose={() => setLeaving(null)} />
            )}
          </Stack>
        )
      }
    </Loaded>
  );
}

function Part({ title, children }: { readonly title: string; readonly children: ReactNode }): ReactNode {
  return (
    <Stack gap="sm" align="flex-start">
      <Title order={2} size="h4">
        {title}
      </Title>
      {children}
    </Stack>
  );
}

interface OrgsProps {
  readonly user: UserDetails;
  readonly orgs: Belongs['orgs'];
  readonly levels: Levels;
  readonly onLeave: (membership: Membership) => void;
}

function Orgs({ user, orgs, levels, onLeave }: OrgsProps): ReactNode {
  if (orgs === null || orgs.totalCount === 0) {
    return orgs === null ? <Hidden /> : <Text size="sm">{words.noOrgs}</Text>;
  }
  return (
    <List listStyleType="none" w="100%">
      {orgs.edges.map((edge) => (
        <List.Item
          key={edge.node.id}
          styles={{ itemWrapper: { width: '100%' }, itemLabel: { width: '100%' } }}
        >
          <Group justify="space-between" py={4}>
            <Group gap="sm">
              <LinkTo to="/organizations/$slug" params={{ slug: edge.node.slug }}>
                {edge.node.name}
              </LinkTo>
              <Text span size="sm">
                {levels.find(({ level }) => level === edge.level)?.label ?? edge.level}
              </Text>
              <EndsText value={edge.expiresAt} />
            </Group>
            <Button
              size="xs"
              variant="default"
              aria-label={words.removeFrom(user.userName, edge.node.name)}
              onClick={() => onLeave(edge)}
            >
              {words.remove}
            </Button>
          </Group>
        </List.Item>
      ))}
      <More total={orgs.totalCount} shown={orgs.edges.length} />
    </List>
  );
}

function More({ total, shown: visible }: { readonly total: number; readonly shown: number }): ReactNode {
  return total > visible ? <List.Item>{words.andMore(total - visible)}</List.Item> : null;
}

function Owned({ orgs }: { readonly orgs: Belongs['ownedOrgs'] }): ReactNode {
  if (orgs === null || orgs.totalCount === 0) {
    return orgs === null ? <Hidden /> : <Text size="sm">{words.noOrgs}</Text>;
  }
  return (
    <List listStyleType="none">
      {orgs.nodes.map(({ id, slug, name }) => (
        <List.Item key={id}>
          <LinkTo to="/organizations/$slug" params={{ slug }}>
            {name}
          </LinkTo>
        </List.Item>
      ))}
      <More total={orgs.totalCount} shown={orgs.nodes.length} />
    </List>
  );
}

function Groups({ groups }: { readonly groups: Belongs['groups'] }): ReactNode {
  if (groups === null || groups.totalCount === 0) {
    return groups === null ? <Hidden /> : <Text size="sm">{words.noGroups}</Text>;
  }
  return (
    <List listStyleType="none">
      {groups.edges.map(({ node, isManager, expiresAt }) => (
        <List.Item key={node.id}>
          <Group gap="sm">
            <LinkTo to="/groups/$slug" params={{ slug: node.slug }}>
              {node.displayName}
            </LinkTo>
            {isManager ? (
              <Text span size="sm">
                {words.isManager}
              </Text>
            ) : null}
            <EndsText value={expiresAt} />
          </Group>
        </List.Item>
      ))}
      <More total={groups.totalCount} shown={groups.edges.length} />
    </List>
  );
}
