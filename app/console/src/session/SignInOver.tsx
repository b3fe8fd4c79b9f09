import { Modal, Stack, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { useSession } from '../api';
import { SignInForm } from './SignInForm';
import { words } from './words';

// Above every dialog, and the question whether to leave: a form in a dialog may be what is not saved.
const Z_INDEX = 500;

/** The sign-in over a page with unsaved input, which stays. */
export function SignInOver(): ReactNode {
  const session = useSession();
  const isOver = session.status === 'over';
  const name = isOver ? session.user.userName : '';
  return (
    <Modal
      opened={isOver}
      onClose={() => undefined}
      withCloseButton={false}
      zIndex={Z_INDEX}
      closeOnEscape={false}
      closeOnClickOutside={false}
      title={words.overTitle}
    >
      <Stack>
        <Text size="sm">{words.over}</Text>
        {isOver ? <Text size="sm">{words.overAs(name)}</Text> : null}
        <SignInForm userName={name} />
      </Stack>
    </Modal>
  );
}
