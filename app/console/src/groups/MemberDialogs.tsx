import { Text } from '@mantine/core';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { useChange } from '../api';
import { Confirm, EndsField, Form, FormDialog, SwitchField, isSameMoment, useNotify } from '../shared';
import { RemoveGroupMembersMutation, UpdateGroupMemberMutation } from './changes';
import type { GroupData, Member } from './operations';
import { memberWords as words } from './words';

const TOUCHES = ['Group', 'User', 'GroupMemberConnection'];

interface MemberProps {
  readonly group: Pick<GroupData, 'id'>;
  readonly member: Member;
  readonly onClose: () => void;
}

/** Changes the end of a membership, and whether the member manages the others. Only what differs is sent. */
export function EditMember({ group, member, onClose }: MemberProps): ReactNode {
  const [isManager, setIsManager] = useState(member.isManager);
  const [expiresAt, setExpiresAt] = useState(member.expiresAt);
  const [isValid, setIsValid] = useState(true);
  const change = useChange(UpdateGroupMemberMutation, {
    payload: (data) => data.updateGroupMember,
    touches: TOUCHES,
  });
  const isSameEnd = isSameMoment(expiresAt, member.expiresAt);
  const isSame = isSameEnd && isManager === member.isManager;
  const end = expiresAt === null ? { clear: ['EXPIRES_AT' as const] } : { expiresAt };
  const submit = async (): Promise<void> => {
    const outcome = await change.run({
      input: {
        group: { id: group.id },
        user: { id: member.node.id },
        ...(isManager === member.isManager ? {} : { isManager }),
        ...(isSameEnd ? {} : end),
      },
    });
    if (outcome.isDone) {
      onClose();
    }
  };
  return (
    <FormDialog onClose={onClose} title={words.editTitle(member.node.userName)}>
      <Form
        change={change}
        submit={words.save}
        onSubmit={() => void submit()}
        onCancel={onClose}
        isDisabled={!isValid || isSame}
        label={words.editTitle(member.node.userName)}
      >
        <SwitchField
          path="isManager"
          label={words.isManager}
          description={words.isManagerHint}
          value={isManager}
          onChange={setIsManager}
          isFirst
        />
        <EndsField value={expiresAt} onChange={setExpiresAt} onValidity={setIsValid} />
      </Form>
    </FormDialog>
  );
}

/** Asks before a member is removed. */
export function RemoveMember({ group, member, onClose }: MemberProps): ReactNode {
  const { id, userName } = member.node;
  const notify = useNotify();
  const change = useChange(RemoveGroupMembersMutation, {
    payload: (data) => data.removeGroupMembers,
    touches: TOUCHES,
  });
  const confirm = async (): Promise<void> => {
    const outcome = await change.run({ input: { group: { id: group.id }, members: [{ id }] } });
    if (outcome.isDone) {
      notify({ kind: 'status', text: words.removed(1) });
      onClose();
    }
  };
  return (
    <Confirm
      isOpen
      {...{ onClose, change }}
      title={words.removeTitle(userName)}
      act={words.remove(userName)}
      onConfirm={() => void confirm()}
    >
      <Text size="sm">{words.removeText}</Text>
    </Confirm>
  );
}
