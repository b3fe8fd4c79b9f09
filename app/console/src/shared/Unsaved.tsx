import { Button, Group, Modal, Stack, Text } from '@mantine/core';
import { useBlocker } from '@tanstack/react-router';
import { useEffect } from 'react';
import type { ReactNode } from 'react';
import { noteUnsaved } from '../api';
import { words } from './words';

interface UnsavedProps {
  /** Whether there is input that is not saved. */
  readonly isDirty: boolean;
}

// Above the dialog whose form it stands beside.
const Z_INDEX = 400;

/** Asks before a link, back, reload or close throws input away; put it beside the form. */
export function Unsaved({ isDirty }: UnsavedProps): ReactNode {
  useEffect(() => (isDirty ? noteUnsaved() : undefined), [isDirty]);
  const blocker = useBlocker({
    shouldBlockFn: ({ current, next }) => isDirty && current.pathname !== next.pathname,
    enableBeforeUnload: isDirty,
    withResolver: true,
  });
  const isAsking = blocker.status === 'blocked';
  const stay = (): void => blocker.reset?.();
  return (
    <Modal opened={isAsking} onClose={stay} zIndex={Z_INDEX} title={words.unsavedTitle}>
      <Stack>
        <Text>{words.unsaved}</Text>
        <Group justify="flex-end">
          <Button variant="default" onClick={stay} data-autofocus>
            {words.stay}
          </Button>
          <Button color="red" onClick={() => blocker.proceed?.()}>
            {words.leave}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
