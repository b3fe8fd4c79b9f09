import { Button, Group, Modal, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { useClient } from 'urql';
import { outcomeOf } from '../api';
import type { Outcome } from '../api';
import { BulkDialog, EndsField } from '../shared';
import type { Selected } from '../shared';
import { RemoveGroupMembersMutation, UpdateGroupMemberMutation } from './changes';
import type { GroupData } from './operations';
import { memberWords as words } from './words';

export type BulkKind = 'bulkEnds' | 'bulkManager' | 'bulkRemove';

interface BulkMembersProps {
  readonly kind: BulkKind;
  readonly group: Pick<GroupData, 'id'>;
  readonly items: readonly Selected[];
  readonly onClose: () => void;
}

const CONTEXT = { additionalTypenames: ['Group', 'User', 'GroupMemberConnection'] };

function useAct(kind: BulkKind, { id: groupId }: Pick<GroupData, 'id'>, expiresAt: string | null) {
  const client = useClient();
  return async ({ id }: Selected): Promise<Outcome<unknown>> => {
    const group = { id: groupId };
    if (kind === 'bulkRemove') {
      const input = { group, members: [{ id }] };
      const result = await client.mutation(RemoveGroupMembersMutation, { input }, CONTEXT).toPromise();
      return outcomeOf(result, (data) => data.removeGroupMembers);
    }
    const end = expiresAt === null ? { clear: ['EXPIRES_AT' as const] } : { expiresAt };
    const input = { group, user: { id }, ...(kind === 'bulkManager' ? { isManager: true } : end) };
    const result = await client.mutation(UpdateGroupMemberMutation, { input }, CONTEXT).toPromise();
    return outcomeOf(result, (data) => data.updateGroupMember);
  };
}

/** Sets the end of the ticked members, lets them manage, or removes them, one after another. */
export function BulkMembers({ kind, group, items, onClose }: BulkMembersProps): ReactNode {
  const [expiresAt, setExpiresAt] = useState<string | null>(null);
  const [isChosen, setIsChosen] = useState(kind !== 'bulkEnds');
  const [isValid, setIsValid] = useState(true);
  const act = useAct(kind, group, expiresAt);
  const title = words[kind](items.length);
  if (isChosen) {
    const text = { bulkEnds: words.endsText, bulkManager: words.managerText, bulkRemove: words.removeText };
    return (
      <BulkDialog {...{ title, items, act, onClose }}>
        <Text size="sm">{text[kind]}</Text>
      </BulkDialog>
    );
  }
  return (
    <Modal opened onClose={onClose} title={title}>
      <Stack>
        <EndsField value={expiresAt} onChange={setExpiresAt} onValidity={setIsValid} />
        <Group justify="flex-end">
          <Button disabled={!isValid} onClick={() => setIsChosen(true)}>
            {words.next}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
