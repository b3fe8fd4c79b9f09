import { List, SimpleGrid, Stack, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { EndsText, Hidden, LinkTo, Time, attributeTexts, sharedWords } from '../shared';
import type { Account, AccountUser } from './operations';
import { words } from './words';

function Fact({ label, children }: { readonly label: string; readonly children: ReactNode }): ReactNode {
  return (
    <Stack gap={2}>
      <Text component="dt" size="xs" c="dimmed">
        {label}
      </Text>
      <Text component="dd" m={0} size="sm" style={{ overflowWrap: 'anywhere' }}>
        {children}
      </Text>
    </Stack>
  );
}

interface ItemsProps {
  readonly items: readonly ReactNode[] | undefined;
  readonly total: number;
}

/** A list; "None" if it is empty, and words if it is hidden. */
function Items({ items, total }: ItemsProps): ReactNode {
  if (items === undefined) {
    return <Hidden />;
  }
  if (items.length === 0) {
    return sharedWords.none;
  }
  return (
    <List size="sm" listStyleType="none">
      {items.map((item, index) => (
        <List.Item key={index}>{item}</List.Item>
      ))}
      {total > items.length ? <List.Item>{words.andMore(total - items.length)}</List.Item> : null}
    </List>
  );
}

function OrgLink({ slug, name }: { readonly slug: string; readonly name: string }): ReactNode {
  return (
    <LinkTo to="/organizations/$slug" params={{ slug }} size="sm">
      {name}
    </LinkTo>
  );
}

interface AccountFactsProps {
  readonly account: Account;
  readonly user: AccountUser;
}

/** User name, roles, organizations, groups and attributes, to read. */
export function AccountFacts({ account, user }: AccountFactsProps): ReactNode {
  const { roles, orgs, ownedOrgs, groups } = user;
  const levels = new Map(account.orgLevels.map(({ level, label }) => [level, label]));
  const attributes = attributeTexts(user.metadata);
  const memberships = orgs?.edges.map(({ node, level, expiresAt }) => (
    <span key={node.id}>
      <OrgLink {...node} /> · {levels.get(level)} · <EndsText value={expiresAt} />
    </span>
  ));
  const inGroups = groups?.edges.map(({ node, isManager, expiresAt }) => (
    <span key={node.id}>
      <LinkTo to="/groups/$slug" params={{ slug: node.slug }} size="sm">
        {node.displayName}
      </LinkTo>
      {isManager ? ` · ${words.manager}` : ''} · <EndsText value={expiresAt} />
    </span>
  ));
  const owned = ownedOrgs?.nodes.map((org) => <OrgLink key={org.id} {...org} />);
  return (
    <SimpleGrid component="dl" cols={{ base: 1, xs: 2 }} m={0}>
      <Fact label={words.userName}>{user.userName}</Fact>
      <Fact label={words.created}>
        <Time value={user.createdAt} />
      </Fact>
      <Fact label={words.roles}>
        <Items items={roles?.map(({ name }) => name)} total={roles?.length ?? 0} />
      </Fact>
      <Fact label={words.owned}>
        <Items items={owned} total={ownedOrgs?.totalCount ?? 0} />
      </Fact>
      <Fact label={words.orgs}>
        <Items items={memberships} total={orgs?.totalCount ?? 0} />
      </Fact>
      <Fact label={words.groups}>
        <Items items={inGroups} total={groups?.totalCount ?? 0} />
      </Fact>
      <Fact label={words.attributes}>
        <Items items={attributes} total={attributes.length} />
      </Fact>
    </SimpleGrid>
  );
}
