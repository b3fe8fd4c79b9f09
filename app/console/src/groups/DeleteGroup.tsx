import { Text } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import type { ReactNode } from 'react';
import { useClient } from 'urql';
import { outcomeOf, useChange } from '../api';
import type { Failure, ResultOf } from '../api';
import { Confirm, Failures, Waiting, leaving, useNotify } from '../shared';
import { DeleteGroupMutation } from './changes';
import type { GroupData } from './operations';
import { words } from './words';

interface DeleteGroupProps {
  readonly group: GroupData;
  readonly onClose: () => void;
}

type Trial =
  | { readonly kind: 'checking' }
  | { readonly kind: 'counted'; readonly count: number }
  | { readonly kind: 'failed'; readonly failures: readonly Failure[] };

const payloadOf = ({ deleteGroup }: ResultOf<typeof DeleteGroupMutation>) => deleteGroup;

/** Ask without writing on how many resources the group has roles. */
function useTrial(id: string): Trial {
  const client = useClient();
  const [trial, setTrial] = useState<Trial>({ kind: 'checking' });
  useEffect(() => {
    let isOpen = true;
    const ask = async (): Promise<void> => {
      const input = { group: { id }, validateOnly: true };
      const result = await client.mutation(DeleteGroupMutation, { input }).toPromise();
      const outcome = outcomeOf(result, payloadOf);
      if (isOpen) {
        setTrial(
          outcome.isDone
            ? { kind: 'counted', count: outcome.payload.revokedFrom ?? 0 }
            : { kind: 'failed', failures: outcome.failures },
        );
      }
    };
    void ask();
    return () => {
      isOpen = false;
    };
  }, [client, id]);
  return trial;
}

/** Asks before a group is deleted, and says on how many resources it has roles. */
export function DeleteGroup({ group, onClose }: DeleteGroupProps): ReactNode {
  const trial = useTrial(group.id);
  const notify = useNotify();
  const navigate = useNavigate();
  const change = useChange(DeleteGroupMutation, {
    payload: payloadOf,
    touches: ['Group', 'GroupConnection', 'User', 'AccessConfiguration'],
  });
  const confirm = async (): Promise<void> => {
    const outcome = await change.run({ input: { group: { id: group.id } } });
    if (outcome.isDone) {
      notify({ kind: 'status', text: words.deleted(group.displayName) });
      await navigate({ to: '/groups', ...leaving });
    }
  };
  return (
    <Confirm
      isOpen
      {...{ onClose, change }}
      title={words.deleteTitle(group.displayName)}
      act={words.deleteAct}
      typed={group.slug}
      onConfirm={() => (trial.kind === 'counted' ? void confirm() : undefined)}
    >
      {trial.kind === 'checking' ? <Waiting /> : null}
      {trial.kind === 'failed' ? <Failures failures={trial.failures} /> : null}
      {trial.kind === 'counted' ? <Text size="sm">{words.deleteText(trial.count)}</Text> : null}
      <Text size="sm">{words.deleteMembers(group.memberCount)}</Text>
    </Confirm>
  );
}
