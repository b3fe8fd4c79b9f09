import { Text } from '@mantine/core';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { useChange } from '../api';
import {
  Confirm,
  EndsField,
  Form,
  FormDialog,
  Meanwhile,
  SwitchField,
  endInput,
  endText,
  useEdits,
  useNotify,
} from '../shared';
import { RemoveGroupMembersMutation, UpdateGroupMemberMutation } from './changes';
import type { GroupData, Member } from './operations';
import { memberWords as words } from './words';

const TOUCHES = ['Group', 'User', 'GroupMemberConnection'];

interface MemberProps {
  readonly group: Pick<GroupData, 'id'>;
  readonly member: Member;
  readonly onClose: () => void;
}

/**
 * Changes the end of a membership, and whether the member manages the others. Only what differs is sent, with the
 * membership as it was read: if somebody else has changed it since then, nothing is written.
 */
export function EditMember({ group, member, onClose }: MemberProps): ReactNode {
  const stored = { isManager: member.isManager, expiresAt: member.expiresAt };
  const { values, edits, theirs, take, set, isDirty } = useEdits(stored);
  const [isValid, setIsValid] = useState(true);
  const change = useChange(UpdateGroupMemberMutation, {
    payload: (data) => data.updateGroupMember,
    touches: TOUCHES,
  });
  const submit = async (): Promise<void> => {
    const { expiresAt, ...manager } = edits;
    const outcome = await change.run({
      input: {
        group: { id: group.id },
        user: { id: member.node.id },
        ifCurrent: stored,
        ...manager,
        ...endInput(expiresAt),
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
        isDisabled={!isValid || !isDirty}
        label={words.editTitle(member.node.userName)}
      >
        <Meanwhile
          theirs={theirs}
          onTake={take}
          describe={{
            isManager: (isManager) => [words.isManager, isManager ? words.yes : words.no],
            expiresAt: (end) => [words.ends, endText(end)],
          }}
        />
        <SwitchField
          path="isManager"
          label={words.isManager}
          description={words.isManagerHint}
          value={values.isManager}
          onChange={set('isManager')}
          isFirst
        />
        <EndsField value={values.expiresAt} onChange={set('expiresAt')} onValidity={setIsValid} />
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
