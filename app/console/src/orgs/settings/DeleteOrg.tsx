import { Button, Group, Text } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { useChange } from '../../api';
import type { ResultOf } from '../../api';
import { Confirm, Failures, leaving, useNotify } from '../../shared';
import { DeleteOrgMutation } from '../changes';
import type { Org } from '../operations';
import { settingsWords as words } from '../words';
import { LockedResources, Part } from './parts';

const payloadOf = ({ deleteOrg }: ResultOf<typeof DeleteOrgMutation>) => deleteOrg;

/** Deletes the organization. What would go with it is counted first, without writing. */
export function DeleteOrg({ org }: { readonly org: Org }): ReactNode {
  const [count, setCount] = useState<number | null>(null);
  const trial = useChange(DeleteOrgMutation, { payload: payloadOf });
  const hasLocks = org.locked !== null && org.locked.totalCount > 0;
  const check = async (): Promise<void> => {
    const outcome = await trial.run({ input: { org: { id: org.id }, validateOnly: true } });
    setCount(outcome.isDone ? (outcome.payload.deletedResources ?? 0) : null);
  };
  // A lock hides whether the viewer could delete it: then the check says why not.
  if (!org.viewerCan.delete && !hasLocks) {
    return null;
  }
  return (
    <Part title={words.delete}>
      <Text size="sm">{words.deleteText}</Text>
      {hasLocks ? (
        <>
          <Text size="sm">{words.deleteLocked}</Text>
          <LockedResources locked={org.locked} />
        </>
      ) : null}
      <Failures failures={trial.failures} />
      <Group>
        <Button color="red" loading={trial.isBusy} onClick={() => void check()}>
          {words.deleteButton}
        </Button>
      </Group>
      {count === null ? null : <Asking org={org} count={count} onClose={() => setCount(null)} />}
    </Part>
  );
}

interface AskingProps {
  readonly org: Org;
  readonly count: number;
  readonly onClose: () => void;
}

/** Says what goes with it, and wants the slug typed. */
function Asking({ org, count, onClose }: AskingProps): ReactNode {
  const notify = useNotify();
  const navigate = useNavigate();
  const change = useChange(DeleteOrgMutation, {
    payload: payloadOf,
    touches: ['Org', 'OrgConnection', 'Resource', 'User'],
  });
  const confirm = async (): Promise<void> => {
    const outcome = await change.run({ input: { org: { id: org.id } } });
    if (outcome.isDone) {
      notify({ kind: 'status', text: words.deleted(org.name, outcome.payload.deletedResources ?? count) });
      await navigate({ to: '/organizations', ...leaving });
    }
  };
  return (
    <Confirm
      isOpen
      {...{ onClose, change }}
      title={words.deleteTitle(org.name)}
      act={words.deleteButton}
      onConfirm={() => void confirm()}
      typed={org.slug}
    >
      <Text size="sm">{count === 0 ? words.deleteNone : words.deleteSome(count)}</Text>
    </Confirm>
  );
}
