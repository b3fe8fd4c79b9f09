import { Box, Stack, Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';
import { EndsField, EndsText, endState, useNow } from '../shared';
import { NO_ROLES, entryOf } from './draft';
import { OverlapChoice } from './EntryName';
import type { RoleInfo } from './fragments';
import { OriginText } from './Origin';
import { RoleSwitches } from './RoleSwitches';
import type { Panel } from './usePanel';
import { words } from './words';

interface WildcardSectionProps {
  readonly kind: 'general' | 'anyone';
  readonly panel: Panel;
  readonly roles: readonly RoleInfo[];
  readonly error: string | undefined;
  readonly isDisabled: boolean;
}

/** The switches of all signed-in users, or of anyone. They are always there. */
export function WildcardSection({ kind, panel, roles, error, isDisabled }: WildcardSectionProps): ReactNode {
  const { state, dispatch } = panel;
  const now = useNow();
  const entry = entryOf(state.draft, kind) ?? NO_ROLES;
  const overlap = state.overlaps.find(({ key }) => key === kind) ?? null;
  const title = words[kind];
  const origin = state.base.origins.get(kind);
  const isEnded = endState(entry.expiresAt, now) === 'ended';
  return (
    <Stack component="section" gap="sm" aria-label={title}>
      <div>
        <Title order={3} size="h4">
          {title}
        </Title>
        <Text size="sm" c="dimmed">
          {kind === 'general' ? words.generalAbout : words.anyoneAbout}
        </Text>
      </div>
      {error === undefined ? null : (
        <Text size="sm" c="red" role="alert" tabIndex={-1} data-row-error>
          {error}
        </Text>
      )}
      {overlap === null ? null : (
        <OverlapChoice
          row={{ key: kind, subject: { kind }, entry, state: 'changed', overlap }}
          {...{ panel, roles }}
          name={title}
        />
      )}
      <RoleSwitches
        label={title}
        roles={kind === 'general' ? roles : roles.filter(({ grantableToAnyone }) => grantableToAnyone)}
        entry={entry}
        isDisabled={isDisabled}
        onChange={(next) => dispatch({ kind: 'edit', key: kind, entry: next })}
      />
      {origin === undefined || origin.grantedAt === null ? null : (
        <Text size="sm" component="div">
          {words.grantedBy} <OriginText origin={origin} />
        </Text>
      )}
      {isEnded ? <EndsText value={entry.expiresAt} /> : null}
      {entry.roles.size === 0 && entry.expiresAt === null ? null : (
        <Box maw={320}>
          <EndsField
            key={state.generation}
            value={entry.expiresAt}
            isDisabled={isDisabled}
            onChange={(expiresAt) => dispatch({ kind: 'edit', key: kind, entry: { ...entry, expiresAt } })}
          />
        </Box>
      )}
    </Stack>
  );
}
