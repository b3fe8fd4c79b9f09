import { List, Paper, SimpleGrid, Stack, Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';
import { useLoad } from '../api';
import type { ResultOf } from '../api';
import { EndsText, LinkTo, Loaded, Page, StorageBar, Time, useNow } from '../shared';
import { endingSoon } from './ending';
import type { Ending } from './ending';
import { HomeQuery } from './operations';
import { words } from './words';

type Home = ResultOf<typeof HomeQuery>;
type User = NonNullable<Home['viewer']['user']>;

interface SectionProps {
  readonly title: string;
  readonly none: string;
  readonly items: readonly { readonly id: string; readonly content: ReactNode }[];
  readonly all?: '/organizations' | '/resources';
}

/** One list of the start page. */
function Section({ title, none, items, all }: SectionProps): ReactNode {
  return (
    <Paper withBorder p="md" component="section" aria-label={title}>
      <Stack gap="sm" align="flex-start">
        <Title order={2} size="h4">
          {title}
        </Title>
        {items.length === 0 ? <Text size="sm">{none}</Text> : null}
        <List listStyleType="none" spacing={4}>
          {items.map(({ id, content }) => (
            <List.Item key={id}>{content}</List.Item>
          ))}
        </List>
        {all === undefined ? null : (
          <LinkTo to={all} size="sm">
            {words.all}
          </LinkTo>
        )}
      </Stack>
    </Paper>
  );
}

const orgItems = ({ nodes }: Home['myOrgs']) =>
  nodes.map(({ id, slug, name }) => ({
    id,
    content: (
      <LinkTo to="/organizations/$slug" params={{ slug }}>
        {name}
      </LinkTo>
    ),
  }));

const resourceItems = ({ nodes }: Pick<Home['resources'], 'nodes'>) =>
  nodes.map(({ id, name, type, updatedAt }) => ({
    id,
    content: (
      <>
        <LinkTo to="/resources/$id" params={{ id }}>
          {name}
        </LinkTo>
        <Text size="sm" c="dimmed">
          {type.label} · {words.changed} <Time value={updatedAt} />
        </Text>
      </>
    ),
  }));

function EndingLink({ ending: { kind, key, name } }: { readonly ending: Ending }): ReactNode {
  return kind === 'resource' ? (
    <LinkTo to="/resources/$id" params={{ id: key }}>
      {words.access(name)}
    </LinkTo>
  ) : (
    <LinkTo to={kind === 'org' ? '/organizations/$slug' : '/groups/$slug'} params={{ slug: key }}>
      {words.membership(name)}
    </LinkTo>
  );
}

function Mine({ home, user }: { readonly home: Home; readonly user: User }): ReactNode {
  const ending = endingSoon(user, useNow()).map((end) => ({
    id: end.id,
    content: (
      <>
        <EndingLink ending={end} /> <EndsText value={end.expiresAt} />
      </>
    ),
  }));
  const resources = user.accessibleResources ?? { nodes: [] };
  return (
    <SimpleGrid cols={{ base: 1, md: 2 }}>
      <Section title={words.myOrgs} none={words.noOrgs} items={orgItems(home.myOrgs)} all="/organizations" />
      <Section
        title={words.mine}
        none={words.noResources}
        items={resourceItems(resources)}
        all="/resources"
      />
      <Section title={words.ending} none={words.nothingEnding} items={ending} />
      {user.storage === null ? null : (
        <Paper withBorder p="md" component="section" aria-label={words.storage}>
          <Stack gap="sm">
            <Title order={2} size="h4">
              {words.storage}
            </Title>
            <StorageBar label={words.used} {...user.storage} />
          </Stack>
        </Paper>
      )}
    </SimpleGrid>
  );
}

function Public({ home }: { readonly home: Home }): ReactNode {
  return (
    <SimpleGrid cols={{ base: 1, md: 2 }}>
      <Section
        title={words.publicOrgs}
        none={words.noPublicOrgs}
        items={orgItems(home.publicOrgs)}
        all="/organizations"
      />
      <Section
        title={words.publicResources}
        none={words.noPublicResources}
        items={resourceItems(home.resources)}
        all="/resources"
      />
    </SimpleGrid>
  );
}

/** The start page: what is the viewer's own, or what is public. */
export function HomePage(): ReactNode {
  const load = useLoad(HomeQuery, {});
  return (
    <Page title={words.title}>
      <Loaded load={load}>
        {(home) => {
          const { user } = home.viewer;
          return (
            <>
              <Text>
                {user === null ? words.anonymous : words.welcome(user.displayName ?? user.userName)}
              </Text>
              {user === null ? <Public home={home} /> : <Mine home={home} user={user} />}
            </>
          );
        }}
      </Loaded>
    </Page>
  );
}
