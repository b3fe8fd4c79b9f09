import { List, Paper, SimpleGrid, Stack, Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';
import { Hidden, LinkTo, ScrollList, phrase } from '../../shared';
import type { Leaver } from './operations';
import { words } from './words';

interface ListOf {
  readonly totalCount: number;
}

interface PartProps<Holding extends ListOf> {
  readonly value: Holding | null;
  readonly title: (count: number) => string;
  readonly shown: (value: Holding) => readonly ReactNode[];
}

/** One kind of what a user owns or holds, with its number. */
function Part<Holding extends ListOf>({ value, title, shown: visible }: PartProps<Holding>): ReactNode {
  if (value === null) {
    return (
      <Paper withBorder p="sm">
        <Title order={2} size="h5">
          {title(0)}
        </Title>
        <Hidden />
      </Paper>
    );
  }
  const items = visible(value);
  const rest = value.totalCount - items.length;
  return (
    <Paper withBorder p="sm">
      <Stack gap="xs">
        <Title order={2} size="h5">
          {title(value.totalCount)}
        </Title>
        {items.length === 0 ? <Text size="sm">{words.nothing}</Text> : null}
        <ScrollList spacing={6} listStyleType="none" mah={220} aria-label={title(value.totalCount)}>
          {items.map((item, index) => (
            <List.Item key={index}>{item}</List.Item>
          ))}
          {rest > 0 ? <List.Item>{words.andMore(rest)}</List.Item> : null}
        </ScrollList>
      </Stack>
    </Paper>
  );
}

function OrgLink({ org }: { readonly org: { readonly slug: string; readonly name: string } }): ReactNode {
  return (
    <LinkTo underline="always" to="/organizations/$slug" params={{ slug: org.slug }} size="sm">
      {org.name}
    </LinkTo>
  );
}

function ResourceLink({ resource }: { readonly resource: { readonly id: string; readonly name: string } }) {
  return (
    <LinkTo underline="always" to="/resources/$id" params={{ id: resource.id }} size="sm">
      {resource.name}
    </LinkTo>
  );
}

/** All that a user owns and holds, on one page. */
export function Holdings({ user }: { readonly user: Leaver }): ReactNode {
  const roles = user.roles === null ? null : { totalCount: user.roles.length, names: user.roles };
  return (
    <SimpleGrid cols={{ base: 1, sm: 2, lg: 3 }}>
      <Part
        value={user.ownedOrgs}
        title={words.ownedOrgs}
        shown={({ nodes }) => nodes.map((org) => <OrgLink key={org.id} org={org} />)}
      />
      <Part
        value={user.ownedResources}
        title={words.ownedResources}
        shown={({ nodes }) =>
          nodes.map((resource) => (
            <span key={resource.id}>
              <ResourceLink resource={resource} />
              {resource.lock === null ? null : phrase` (${words.locked}: ${resource.lock.reason})`}
            </span>
          ))
        }
      />
      <Part
        value={user.orgs}
        title={words.memberships}
        shown={({ edges }) => edges.map(({ node }) => <OrgLink key={node.id} org={node} />)}
      />
      <Part
        value={user.groups}
        title={words.groups}
        shown={({ edges }) =>
          edges.map(({ node, isManager }) => (
            <span key={node.id}>
              <LinkTo underline="always" to="/groups/$slug" params={{ slug: node.slug }} size="sm">
                {node.displayName}
              </LinkTo>
              {isManager ? ` (${words.manager})` : null}
            </span>
          ))
        }
      />
      <Part
        value={user.apiTokens}
        title={words.tokens}
        shown={({ nodes }) => nodes.map(({ name, prefix }) => phrase`${name} (${prefix}…)`)}
      />
      <Part value={roles} title={words.roles} shown={({ names }) => names.map(({ name }) => name)} />
      <Part
        value={user.accessibleResources}
        title={words.reach}
        shown={({ nodes }) => nodes.map((resource) => <ResourceLink key={resource.id} resource={resource} />)}
      />
    </SimpleGrid>
  );
}
