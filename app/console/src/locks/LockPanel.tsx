import { List, Paper, Stack, Text, Title } from '@mantine/core';
import { IconLock, IconLockOpen } from '@tabler/icons-react';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { useChange } from '../api';
import { AreaField, Form, Time, Unsaved, useNotify } from '../shared';
import { LockNote } from './LockNote';
import { LockResourceMutation, UnlockResourceMutation } from './operations';
import type { LockedResource } from './operations';
import { words } from './words';

const MOST_CHARACTERS = 1_000;

interface LockPanelProps {
  readonly resource: LockedResource;
}

/** The lock of a resource: its state, Lock or Unlock with a reason, and the history. */
export function LockPanel({ resource }: LockPanelProps): ReactNode {
  const { lock, viewerCan } = resource;
  return (
    <Paper withBorder p="md" component="section" aria-label={words.title}>
      <Stack>
        <Title order={2} size="h3">
          {words.title}
        </Title>
        {lock === null ? <Text>{words.unlocked}</Text> : <LockNote lock={lock} />}
        <Text size="sm" c="dimmed">
          {words.effect} {words.access}
        </Text>
        {viewerCan.lock || viewerCan.unlock ? (
          <LockForm key={lock === null ? 'lock' : 'unlock'} resource={resource} />
        ) : null}
        <Title order={3} size="h4">
          {words.history}
        </Title>
        <History history={resource.lockHistory} />
      </Stack>
    </Paper>
  );
}

/** The reason, and the button that locks or unlocks. */
function LockForm({ resource: { id, lock } }: LockPanelProps): ReactNode {
  const [reason, setReason] = useState('');
  const locking = useChange(LockResourceMutation, { payload: (data) => data.lockResource });
  const unlocking = useChange(UnlockResourceMutation, { payload: (data) => data.unlockResource });
  const notify = useNotify();
  const isLocked = lock !== null;
  const change = isLocked ? unlocking : locking;
  const submit = async (): Promise<void> => {
    const input = { resource: { id }, reason };
    const outcome = await (isLocked ? unlocking.run({ input }) : locking.run({ input }));
    if (outcome.isDone) {
      setReason('');
      notify({ kind: 'status', text: isLocked ? words.unlockedNow : words.lockedNow });
    }
  };
  return (
    <Form change={change} submit={isLocked ? words.unlock : words.lock} onSubmit={() => void submit()}>
      <AreaField
        path="reason"
        label={words.reason}
        description={words.reasonAbout}
        value={reason}
        onChange={setReason}
        maxLength={MOST_CHARACTERS}
        isRequired
      />
      <Unsaved isDirty={reason !== ''} />
    </Form>
  );
}

/** What was locked and unlocked, newest first. */
function History({ history }: { readonly history: LockedResource['lockHistory'] }): ReactNode {
  if (history === null || history.nodes.length === 0) {
    return <Text size="sm">{words.noHistory}</Text>;
  }
  const { nodes, totalCount } = history;
  return (
    <Stack gap="xs">
      <List listStyleType="none" spacing="xs" aria-label={words.history}>
        {nodes.toReversed().map(({ action, createdAt, reason, actor, actorName }) => (
          <List.Item
            key={`${createdAt} ${action}`}
            icon={
              action === 'LOCK' ? <IconLock size={18} aria-hidden /> : <IconLockOpen size={18} aria-hidden />
            }
          >
            <Text size="sm" fw={500}>
              {words.actions[action]} {actor?.displayName ?? actorName ?? words.system},{' '}
              <Time value={createdAt} />
            </Text>
            <Text size="sm">{reason}</Text>
          </List.Item>
        ))}
      </List>
      {totalCount > nodes.length ? (
        <Text size="sm" c="dimmed">
          {words.older(totalCount)}
        </Text>
      ) : null}
    </Stack>
  );
}
