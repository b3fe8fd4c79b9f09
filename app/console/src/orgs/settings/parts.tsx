import { List, Stack, Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';
import { LinkTo, isolated } from '../../shared';
import type { Org } from '../operations';
import { settingsWords as words } from '../words';

interface PartProps {
  readonly title: string;
  readonly children: ReactNode;
}

/** A part of the settings with its heading. */
export function Part({ title, children }: PartProps): ReactNode {
  return (
    <Stack component="section" aria-label={title} gap="sm">
      <Title order={2} size="h4">
        {title}
      </Title>
      {children}
    </Stack>
  );
}

/** Names the locked resources of an organization, which keep it from being handed over or deleted. */
export function LockedResources({ locked }: Pick<Org, 'locked'>): ReactNode {
  if (locked === null || locked.totalCount === 0) {
    return null;
  }
  const more = locked.totalCount - locked.nodes.length;
  return (
    <>
      <Text size="sm">{words.lockedResources}</Text>
      <List size="sm">
        {locked.nodes.map(({ id, name, lock }) => (
          <List.Item key={id}>
            <LinkTo to="/resources/$id" params={{ id }} size="sm" underline="always">
              {name}
            </LinkTo>
            {lock === null ? null : `: ${isolated(lock.reason ?? '')}`}
          </List.Item>
        ))}
        {more > 0 ? <List.Item>{words.andMore(more)}</List.Item> : null}
      </List>
    </>
  );
}
