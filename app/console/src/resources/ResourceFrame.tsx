import { Group, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { LockNote } from '../locks';
import { LinkTo, Page, sharedWords } from '../shared';
import type { ResourceHead } from './fragments';
import classes from './Resource.module.css';
import { words } from './words';

interface ResourceFrameProps {
  readonly resource: ResourceHead;
  readonly actions?: ReactNode;
  /** Does the page itself show the lock? */
  readonly hasLock?: boolean;
  readonly children: ReactNode;
}

/** A page of a resource: its name, its type and org, its tabs and its lock. */
export function ResourceFrame({
  resource,
  actions,
  hasLock = false,
  children,
}: ResourceFrameProps): ReactNode {
  const { name, slug, type, org, lock } = resource;
  return (
    <Page title={name} actions={actions}>
      <Text size="sm" c="dimmed">
        {type.label}
        {' · '}
        {org === null ? (
          `${words.org} ${sharedWords.hidden}`
        ) : (
          <LinkTo to="/organizations/$slug" params={{ slug: org.slug }} size="sm" underline="always">
            {org.name}
          </LinkTo>
        )}
        {` · ${slug}`}
      </Text>
      <Tabs resource={resource} />
      {lock === null || hasLock ? null : <LockNote lock={lock} />}
      {children}
    </Page>
  );
}

/** The pages of a resource, as far as the viewer may see them. */
function Tabs({ resource: { id, viewerCan } }: Pick<ResourceFrameProps, 'resource'>): ReactNode {
  const tabs = [
    { to: '/resources/$id', label: words.overview, isShown: true },
    { to: '/resources/$id/settings', label: words.settings, isShown: viewerCan.changeAccess },
    { to: '/resources/$id/people', label: words.people, isShown: viewerCan.seeAccessSubjects },
    { to: '/resources/$id/history', label: words.history, isShown: viewerCan.seeAuditEvents },
  ] as const;
  const visible = tabs.filter(({ isShown }) => isShown);
  return visible.length < 2 ? null : (
    <Group component="nav" aria-label={words.pages} gap={4} className={classes['tabs'] ?? ''}>
      {visible.map(({ to, label }) => (
        <LinkTo
          key={to}
          to={to}
          params={{ id }}
          activeOptions={{ exact: true }}
          activeProps={{ 'aria-current': 'page' }}
          className={classes['tab'] ?? ''}
          underline="never"
        >
          {label}
        </LinkTo>
      ))}
    </Group>
  );
}
