import { Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { SignOutMutation, hasUnsaved, useChange, useSessionControls } from '../api';
import { Confirm } from '../shared';
import { words } from './words';

interface SignOutDialogProps {
  readonly onClose: () => void;
}

/** Asks, then signs out. A session that is over already counts as signed out. */
export function SignOutDialog({ onClose }: SignOutDialogProps): ReactNode {
  const { leave } = useSessionControls();
  const change = useChange(SignOutMutation, { payload: (data) => data.logout });
  const signOut = async (): Promise<void> => {
    const outcome = await change.run({});
    if (outcome.isDone || outcome.failures.some(({ kind }) => kind === 'signedOut')) {
      leave();
    }
  };
  return (
    <Confirm
      isOpen
      onClose={onClose}
      title={words.signOutTitle}
      act={words.signOut}
      change={change}
      onConfirm={() => void signOut()}
      isHarmless
    >
      <Text size="sm">{words.signOutText}</Text>
      {hasUnsaved() ? <Text size="sm">{words.unsaved}</Text> : null}
    </Confirm>
  );
}
