import { Button, Group, Modal, Stack, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { useDialogNote } from './dialogContext';
import { words } from '../words';

// Above the dialog whose form it asks about.
const Z_INDEX = 400;

interface LeaveQuestionProps {
  readonly isAsking: boolean;
  readonly onStay: () => void;
  readonly onLeave: () => void;
}

/** Asks before input is thrown away. */
export function LeaveQuestion({ isAsking, onStay, onLeave }: LeaveQuestionProps): ReactNode {
  useDialogNote('busy', isAsking);
  return (
    <Modal opened={isAsking} onClose={onStay} zIndex={Z_INDEX} title={words.unsavedTitle}>
      <Stack>
        <Text>{words.unsaved}</Text>
        <Group justify="flex-end">
          <Button variant="default" onClick={onStay} data-autofocus>
            {words.stay}
          </Button>
          <Button color="red" onClick={onLeave}>
            {words.leave}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
