import { Button, Group, Stack } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { FormDialog, PersonPicker, useFindPerson } from '../shared';
import { words } from './words';

interface AddPersonProps {
  /** Whether a user is in the draft already. */
  readonly isThere: (userName: string) => boolean;
  readonly onAdd: (userName: string) => void;
  readonly isDisabled: boolean;
}

/** Adds a person by user name or email address: one of those suggested, or another exact one. */
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
      <FormDialog isOpen={isOpen} onClose={close} title={words.addPersonTitle}>
        <PersonForm isThere={isThere} onAdd={onAdd} onClose={close} />
      </FormDialog>
    </>
  );
}

type FormProps = Pick<AddPersonProps, 'isThere' | 'onAdd'> & { readonly onClose: () => void };

function PersonForm({ isThere, onAdd, onClose }: FormProps): ReactNode {
  const { text, setText, problem, isFinding, submit } = usePersonForm({ isThere, onAdd, onClose });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <Stack>
        <PersonPicker path="person" value={text} onChange={setText} problem={problem} isFirst />
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            {words.cancel}
          </Button>
          <Button type="submit" loading={isFinding} disabled={text.trim() === '' || problem !== null}>
            {words.add}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

/** What was typed, what is wrong with it, and adding it. An email address is looked up before it is added. */
function usePersonForm({ isThere, onAdd, onClose }: FormProps) {
  const [text, setText] = useState('');
  const [isRepeated, setIsRepeated] = useState(false);
  const { find, problemOf, isFinding } = useFindPerson();
  const typed = text.trim();
  const submit = async (): Promise<void> => {
    const userName = await find(text);
    if (userName !== null && isThere(userName)) {
      setIsRepeated(true);
    } else if (userName !== null) {
      onAdd(userName);
      onClose();
    }
  };
  return {
    text,
    setText: (value: string) => {
      setText(value);
      setIsRepeated(false);
    },
    problem: isRepeated || (typed !== '' && isThere(typed)) ? words.personThere : problemOf(text),
    isFinding,
    submit,
  };
}
