import { useState } from 'react';
import type { ReactNode } from 'react';
import { useClient } from 'urql';
import { outcomeOf } from '../api';
import { CheckedBulk, EndsField } from '../shared';
import type { CheckedAct, Selected } from '../shared';
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

function useAct(
  kind: BulkKind,
  { id: groupId }: Pick<GroupData, 'id'>,
  expiresAt: string | null,
): CheckedAct {
  const client = useClient();
  return async ({ id }, validateOnly) => {
    const group = { id: groupId };
    if (kind === 'bulkRemove') {
      const input = { group, members: [{ id }], validateOnly };
      const result = await client.mutation(RemoveGroupMembersMutation, { input }, CONTEXT).toPromise();
      return outcomeOf(result, (data) => data.removeGroupMembers);
    }
    const end = expiresAt === null ? { clear: ['EXPIRES_AT' as const] } : { expiresAt };
    const what = kind === 'bulkManager' ? { isManager: true } : end;
    const input = { group, user: { id }, ...what, validateOnly };
    const result = await client.mutation(UpdateGroupMemberMutation, { input }, CONTEXT).toPromise();
    return outcomeOf(result, (data) => data.updateGroupMember);
  };
}

/** Sets the end of the ticked members, lets them manage, or removes them. */
export function BulkMembers({ kind, group, items, onClose }: BulkMembersProps): ReactNode {
  const [expiresAt, setExpiresAt] = useState<string | null>(null);
  const [isValid, setIsValid] = useState(true);
  const act = useAct(kind, group, expiresAt);
  const text = { bulkEnds: words.endsText, bulkManager: words.managerText, bulkRemove: words.removeText };
  return (
    <CheckedBulk
      {...{ items, act, onClose }}
      title={words[kind](items.length)}
      text={text[kind]}
      isReady={isValid}
    >
      {kind === 'bulkEnds' ? (
        <EndsField value={expiresAt} onChange={setExpiresAt} onValidity={setIsValid} />
      ) : null}
    </CheckedBulk>
  );
}
