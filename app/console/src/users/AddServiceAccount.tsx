import { Text } from '@mantine/core';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { useChange } from '../api';
import { MultiSelectField, TextField, useNotify, useValues } from '../shared';
import { AddForm, choicesOf, orNothing } from './AddForm';
import type { AddProps } from './AddForm';
import { CreateServiceAccountMutation } from './changes';
import { words } from './words';

/** The form for an account of a program. */
export function AddServiceAccount({ roles, onClose }: AddProps): ReactNode {
  const notify = useNotify();
  const [start] = useState({ userName: '', displayName: '', roles: [] });
  const { values, set } = useValues<{
    userName: string;
    displayName: string;
    roles: readonly string[];
  }>(start);
  const change = useChange(CreateServiceAccountMutation, {
    payload: (data) => data.createServiceAccount,
    touches: ['User'],
  });
  const submit = async (): Promise<void> => {
    const { userName, displayName } = values;
    const outcome = await change.run({
      input: { userName, displayName: orNothing(displayName), roles: [...values.roles] },
    });
    if (outcome.isDone) {
      notify({ kind: 'status', text: words.created_(userName) });
      onClose();
    }
  };
  return (
    <AddForm title={words.addServiceAccount} onSubmit={() => void submit()} {...{ change, onClose }}>
      <Text size="sm">{words.serviceAccountHint}</Text>
      <TextField
        path="userName"
        label={words.userName}
        description={words.addUserHint}
        value={values.userName}
        onChange={set('userName')}
        isRequired
        isFirst
      />
      <TextField
        path="displayName"
        label={words.displayName}
        value={values.displayName}
        onChange={set('displayName')}
      />
      <MultiSelectField
        path="roles"
        label={words.roles}
        choices={choicesOf(roles)}
        value={values.roles}
        onChange={set('roles')}
      />
    </AddForm>
  );
}
