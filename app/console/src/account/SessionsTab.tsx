import { Button, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { useChange, useSessionControls } from '../api';
import { Confirm } from '../shared';
import { SignOutEverywhereMutation } from './operations';
import { words } from './words';

/** Ends all sessions of the viewer. */
export function SessionsTab(): ReactNode {
  const [isAsking, setIsAsking] = useState(false);
  const { leave } = useSessionControls();
  const change = useChange(SignOutEverywhereMutation, { payload: (data) => data.signOutEverywhere });
  const confirm = async (): Promise<void> => {
    if ((await change.run({ input: {} })).isDone) {
      leave();
    }
  };
  return (
    <Stack align="flex-start">
      <Text size="sm">{words.signOutText}</Text>
      <Button variant="default" onClick={() => setIsAsking(true)}>
        {words.signOut}
      </Button>
      <Confirm
        isOpen={isAsking}
        onClose={() => setIsAsking(false)}
        title={words.signOutTitle}
        act={words.signOut}
        change={change}
        onConfirm={() => void confirm()}
      >
        <Text size="sm">{words.signOutText}</Text>
      </Confirm>
    </Stack>
  );
}
