import { Button, Group, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { EndsField, FormDialog } from '../shared';
import type { EditPart } from './bulk';
import type { Entry } from './draft';
import type { RoleInfo } from './fragments';
import { RoleSwitches } from './RoleSwitches';
import { words } from './words';

interface EditDialogProps {
  readonly title: string;
  readonly about?: string;
  readonly part: EditPart;
  readonly start: Entry;
  readonly roles: readonly RoleInfo[];
  readonly onDone: (entry: Entry) => void;
  readonly onClose: () => void;
}

/** The switches and the end of one subject. Done writes to the draft, Cancel forgets. */
export function EditDialog(props: EditDialogProps): ReactNode {
  const { title, about, part, start, roles, onDone, onClose } = props;
  const [entry, setEntry] = useState(start);
  const [isValid, setIsValid] = useState(true);
  return (
    <FormDialog onClose={onClose} title={title} size="lg">
      <Stack>
        {about === undefined ? null : <Text size="sm">{about}</Text>}
        {part === 'end' ? null : (
          <RoleSwitches label={title} roles={roles} entry={entry} onChange={setEntry} isDisabled={false} />
        )}
        {part === 'roles' ? null : (
          <EndsField
            value={entry.expiresAt}
            onChange={(expiresAt) => setEntry((old) => ({ ...old, expiresAt }))}
            onValidity={setIsValid}
          />
        )}
        <Text size="sm" c="dimmed">
          {words.notSavedYet}
        </Text>
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            {words.cancel}
          </Button>
          <Button
            disabled={!isValid}
            onClick={() => {
              onDone(entry);
              onClose();
            }}
          >
            {words.done}
          </Button>
        </Group>
      </Stack>
    </FormDialog>
  );
}
