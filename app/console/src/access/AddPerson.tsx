import { Button, Group, Modal, Stack, Text } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { PersonPicker } from '../shared';
import { words } from './words';

interface AddPersonProps {
  /** Whether a user is in the draft already. */
  readonly isThere: (userName: string) => boolean;
  readonly onAdd: (userName: string) => void;
  readonly isDisabled: boolean;
}

/** Adds a person by user name: one of those suggested, or another exact name. */
export function AddPerson({ isThere, onAdd, isDisabled }: AddPersonProps): ReactNode {
  const [isOpen, setIsOpen] = useState(false);
  const close = (): void => setIsOpen(false);
  return (
    <>
      <Button
        variant="default"
        leftSection={<IconPlus size={16} aria-hidden />}
        disabled={isDisabled}
        onClick={() => setIsOpen(true)}
      >
        {words.addPerson}
      </Button>
      <Modal opened={isOpen} onClose={close} title={words.addPersonTitle}>
        <PersonForm isThere={isThere} onAdd={onAdd} onClose={close} />
      </Modal>
    </>
  );
}

type FormProps = Pick<AddPersonProps, 'isThere' | 'onAdd'> & { readonly onClose: () => void };

function PersonForm({ isThere, onAdd, onClose }: FormProps): ReactNode {
  const [text, setText] = useState('');
  const userName = text.trim();
  const isDouble = userName !== '' && isThere(userName);
  const isReady = userName !== '' && !isDouble;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (isReady) {
          onAdd(userName);
          onClose();
        }
      }}
    >
      <Stack>
        <PersonPicker
          path="person"
          label={words.personName}
          description={words.personAbout}
          value={text}
          onChange={setText}
          isFirst
        />
        {isDouble ? (
          <Text size="sm" role="alert">
            {words.personThere}
          </Text>
        ) : null}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            {words.cancel}
          </Button>
          <Button type="submit" disabled={!isReady}>
            {words.add}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
