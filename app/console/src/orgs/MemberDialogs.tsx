import { Text } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { useChange } from '../api';
import type { OrgLevel } from '../api';
import {
  Confirm,
  EndsField,
  Form,
  FormDialog,
  PersonPicker,
  Meanwhile,
  endInput,
  endText,
  leaving,
  useEdits,
  useNotify,
  usePersonRef,
} from '../shared';
import { AddOrgMemberMutation, RemoveOrgMemberMutation, UpdateOrgMemberMutation } from './changes';
import { LevelField } from './LevelField';
import type { Level, Org } from './operations';
import type { Member } from './tabOperations';
import { memberWords as words, words as orgWords } from './words';

const TOUCHES = ['Org', 'User', 'OrgMemberConnection'];

interface DialogProps {
  readonly org: Pick<Org, 'id' | 'name'>;
  readonly onClose: () => void;
}

interface LevelsProps extends DialogProps {
  readonly levels: readonly Level[];
}

/** Adds a person by user name or email address. */
export function AddMember({ org, levels, onClose }: LevelsProps): ReactNode {
  const [userName, setUserName] = useState('');
  const [level, setLevel] = useState<OrgLevel>('READ_ONLY');
  const [expiresAt, setExpiresAt] = useState<string | null>(null);
  const [isValid, setIsValid] = useState(true);
  const notify = useNotify();
  const personRef = usePersonRef();
  const change = useChange(AddOrgMemberMutation, {
    payload: (data) => data.addOrgMember,
    touches: TOUCHES,
  });
  const submit = async (): Promise<void> => {
    const user = await personRef(userName);
    const outcome = await change.run({ input: { org: { id: org.id }, user, level, expiresAt } });
    if (outcome.isDone) {
      notify({ kind: 'status', text: words.added(userName) });
      onClose();
    }
  };
  return (
    <FormDialog onClose={onClose} title={words.addTitle(org.name)}>
      <Form
        change={change}
        submit={words.add}
        onSubmit={() => void submit()}
        onCancel={onClose}
        isDisabled={!isValid}
        label={words.add}
      >
        <PersonPicker path="user" value={userName} onChange={setUserName} isRequired isFirst />
        <LevelField levels={levels} value={level} onChange={setLevel} />
        <EndsField value={expiresAt} onChange={setExpiresAt} onValidity={setIsValid} />
      </Form>
    </FormDialog>
  );
}

interface MemberProps extends DialogProps {
  readonly member: Member;
}

/**
 * Changes the level and the end of a membership. Only what differs is sent, with the membership as it was read: if
 * somebody else has changed it since then, nothing is written, and both states are shown.
 */
export function EditMember({ org, levels, member, onClose }: MemberProps & LevelsProps): ReactNode {
  const stored = { level: member.level, expiresAt: member.expiresAt };
  const { values, edits, theirs, take, set, isDirty } = useEdits(stored);
  const [isValid, setIsValid] = useState(true);
  const change = useChange(UpdateOrgMemberMutation, {
    payload: (data) => data.updateOrgMember,
    touches: TOUCHES,
  });
  const submit = async (): Promise<void> => {
    const { expiresAt, ...level } = edits;
    const outcome = await change.run({
      input: {
        org: { id: org.id },
        user: { id: member.node.id },
        ifCurrent: stored,
        ...level,
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
            level: (level) => [words.level, levels.find((each) => each.level === level)?.label ?? level],
            expiresAt: (end) => [words.ends, endText(end)],
          }}
        />
        <LevelField levels={levels} value={values.level} onChange={set('level')} isFirst />
        <EndsField value={values.expiresAt} onChange={set('expiresAt')} onValidity={setIsValid} />
      </Form>
    </FormDialog>
  );
}

/** Asks before a member is removed. */
export function RemoveMember({ org, member, onClose }: MemberProps): ReactNode {
  const { id, userName } = member.node;
  const notify = useNotify();
  const change = useChange(RemoveOrgMemberMutation, {
    payload: (data) => data.removeOrgMember,
    touches: TOUCHES,
  });
  const confirm = async (): Promise<void> => {
    const outcome = await change.run({ input: { org: { id: org.id }, user: { id } } });
    if (outcome.isDone) {
      notify({ kind: 'status', text: words.removed(userName) });
      onClose();
    }
  };
  return (
    <Confirm
      isOpen
      {...{ onClose, change }}
      title={words.removeTitle(userName)}
      act={words.removeOf(userName)}
      onConfirm={() => void confirm()}
    >
      <Text size="sm">{words.removeText}</Text>
    </Confirm>
  );
}

interface LeaveProps extends DialogProps {
  readonly user: { readonly id: string };
}

/** Asks before the viewer leaves, and goes to the list: the organization may be hidden from then on. */
export function LeaveOrg({ org, user, onClose }: LeaveProps): ReactNode {
  const notify = useNotify();
  const navigate = useNavigate();
  const change = useChange(RemoveOrgMemberMutation, {
    payload: (data) => data.removeOrgMember,
    touches: TOUCHES,
  });
  const confirm = async (): Promise<void> => {
    const outcome = await change.run({ input: { org: { id: org.id }, user: { id: user.id } } });
    if (outcome.isDone) {
      notify({ kind: 'status', text: orgWords.left(org.name) });
      await navigate({ to: '/organizations', ...leaving });
    }
  };
  return (
    <Confirm
      isOpen
      {...{ onClose, change }}
      title={orgWords.leaveTitle(org.name)}
      act={orgWords.leave}
      onConfirm={() => void confirm()}
    >
      <Text size="sm">{orgWords.leaveText}</Text>
    </Confirm>
  );
}
