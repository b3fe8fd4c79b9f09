import { Button, Group, Stack, Text, Title } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { useChange, useViewer } from '../../api';
import { Confirm, Form, FormDialog, NewPasswordField, TextField, leaving, useNotify } from '../../shared';
import { DeactivateUserMutation, ReactivateUserMutation } from '../changes';
import { RenameUserMutation, ResetPasswordMutation, SignOutUserMutation } from './changes';
import type { UserDetails } from './operations';
import { words } from './words';

const ACTS = ['resetPassword', 'rename', 'signOut', 'reactivate', 'deactivate'] as const;
type Act = (typeof ACTS)[number];

interface ActProps {
  readonly user: UserDetails;
  readonly onClose: () => void;
}

/** Password reset, rename, sign out everywhere, deactivate and reactivate: those that the API allows. */
export function AccountActs({ user }: { readonly user: UserDetails }): ReactNode {
  const [act, setAct] = useState<Act | null>(null);
  const maySignOut = useViewer()?.permissions.includes('USERS_MANAGE') ?? false;
  const may = { ...user.viewerCan, signOut: maySignOut && !user.isServiceAccount };
  const allowed = ACTS.filter((each) => may[each]);
  const close = (): void => setAct(null);
  if (allowed.length === 0) {
    return null;
  }
  return (
    <Stack gap="sm">
      <Title order={2} size="h4">
        {words.acts}
      </Title>
      <Group gap="xs">
        {allowed.map((each) => (
          <Button
            key={each}
            variant="default"
            {...(each === 'deactivate' ? { c: 'red' } : {})}
            onClick={() => setAct(each)}
          >
            {words[each]}
          </Button>
        ))}
      </Group>
      {act === 'resetPassword' ? <ResetPassword user={user} onClose={close} /> : null}
      {act === 'rename' ? <Rename user={user} onClose={close} /> : null}
      {act === 'signOut' ? <SignOut user={user} onClose={close} /> : null}
      {act === 'deactivate' ? <Deactivate user={user} onClose={close} /> : null}
      {act === 'reactivate' ? <Reactivate user={user} onClose={close} /> : null}
    </Stack>
  );
}

function ResetPassword({ user, onClose }: ActProps): ReactNode {
  const [newPassword, setNewPassword] = useState('');
  const notify = useNotify();
  const change = useChange(ResetPasswordMutation, { payload: (data) => data.resetPassword });
  const submit = async (): Promise<void> => {
    const outcome = await change.run({ input: { user: { id: user.id }, newPassword } });
    if (outcome.isDone) {
      notify({ kind: 'status', text: words.passwordSet(user.userName) });
      onClose();
    }
  };
  return (
    <FormDialog onClose={onClose} title={words.resetTitle(user.userName)}>
      <Form
        change={change}
        submit={words.resetPassword}
        onSubmit={() => void submit()}
        onCancel={onClose}
        label={words.resetPassword}
      >
        <Text size="sm">{words.resetText}</Text>
        <NewPasswordField
          path="newPassword"
          label={words.newPassword}
          value={newPassword}
          onChange={setNewPassword}
          isFirst
        />
      </Form>
    </FormDialog>
  );
}

function Rename({ user, onClose }: ActProps): ReactNode {
  const [userName, setUserName] = useState(user.userName);
  const navigate = useNavigate();
  const change = useChange(RenameUserMutation, { payload: (data) => data.renameUser });
  const submit = async (): Promise<void> => {
    const outcome = await change.run({
      input: { user: { id: user.id }, ifRevision: user.revision, userName },
    });
    if (outcome.isDone) {
      onClose();
      await navigate({
        to: '/settings/users/$userName',
        params: { userName },
        replace: true,
        ...leaving,
      });
    }
  };
  return (
    <FormDialog onClose={onClose} title={words.renameTitle(user.userName)}>
      <Form
        change={change}
        submit={words.rename}
        onSubmit={() => void submit()}
        onCancel={onClose}
        label={words.rename}
      >
        <Text size="sm">{words.renameText}</Text>
        <TextField
          path="userName"
          label={words.newName}
          value={userName}
          onChange={setUserName}
          isRequired
          isFirst
        />
      </Form>
    </FormDialog>
  );
}

function SignOut({ user, onClose }: ActProps): ReactNode {
  const notify = useNotify();
  const change = useChange(SignOutUserMutation, { payload: (data) => data.signOutEverywhere });
  const confirm = async (): Promise<void> => {
    const outcome = await change.run({ input: { user: { id: user.id } } });
    if (outcome.isDone) {
      notify({ kind: 'status', text: words.signedOut(user.userName) });
      onClose();
    }
  };
  const title = words.signOutTitle(user.userName);
  return (
    <Confirm isOpen {...{ onClose, title, change }} act={words.signOut} onConfirm={() => void confirm()}>
      <Text size="sm">{words.signOutText}</Text>
    </Confirm>
  );
}

function Deactivate({ user, onClose }: ActProps): ReactNode {
  const change = useChange(DeactivateUserMutation, { payload: (data) => data.deactivateUser });
  const confirm = async (): Promise<void> => {
    const outcome = await change.run({ input: { user: { id: user.id }, ifRevision: user.revision } });
    if (outcome.isDone) {
      onClose();
    }
  };
  const title = words.deactivateTitle(user.userName);
  return (
    <Confirm isOpen {...{ onClose, title, change }} act={words.deactivate} onConfirm={() => void confirm()}>
      <Text size="sm">{words.deactivateText}</Text>
    </Confirm>
  );
}

function Reactivate({ user, onClose }: ActProps): ReactNode {
  const change = useChange(ReactivateUserMutation, { payload: (data) => data.reactivateUser });
  const confirm = async (): Promise<void> => {
    const outcome = await change.run({ input: { user: { id: user.id }, ifRevision: user.revision } });
    if (outcome.isDone) {
      onClose();
    }
  };
  const title = words.reactivateTitle(user.userName);
  return (
    <Confirm
      isOpen
      isHarmless
      {...{ onClose, title, change }}
      act={words.reactivate}
      onConfirm={() => void confirm()}
    >
      <Text size="sm">{words.reactivateText}</Text>
    </Confirm>
  );
}
