import { useState } from 'react';
import type { ReactNode } from 'react';
import { useChange } from '../api';
import { MultiSelectField, NewPasswordField, TextField, useNotify, useValues } from '../shared';
import { AddForm, choicesOf, orNothing } from './AddForm';
import type { AddProps } from './AddForm';
import { CreateUserMutation } from './changes';
import { words } from './words';

/** Built in: it lets people create organizations of their own. */
const FIRST_ROLES = ['user'];

/** The form "Add User". */
export function AddUser({ roles, onClose }: AddProps): ReactNode {
  const notify = useNotify();
  const [start] = useState({
    userName: '',
    email: '',
    displayName: '',
    password: '',
    roles: FIRST_ROLES,
  });
  const { values, set } = useValues<{
    userName: string;
    email: string;
    displayName: string;
    password: string;
    roles: readonly string[];
  }>(start);
  const change = useChange(CreateUserMutation, { payload: (data) => data.createUser, touches: ['User'] });
  const submit = async (): Promise<void> => {
    const outcome = await change.run({
      input: {
        userName: values.userName,
        password: values.password,
        email: orNothing(values.email),
        displayName: orNothing(values.displayName),
        roles: [...values.roles],
      },
    });
    if (outcome.isDone) {
      notify({ kind: 'status', text: words.created_(values.userName) });
      onClose();
    }
  };
  return (
    <AddForm title={words.addUser} onSubmit={() => void submit()} {...{ change, onClose }}>
      <TextField
        path="userName"
        label={words.userName}
        description={words.addUserHint}
        value={values.userName}
        onChange={set('userName')}
        isRequired
        isFirst
      />
      <TextField path="email" type="email" label={words.email} value={values.email} onChange={set('email')} />
      <TextField
        path="displayName"
        label={words.displayName}
        value={values.displayName}
        onChange={set('displayName')}
      />
      <NewPasswordField
        path="password"
        label={words.password}
        value={values.password}
        onChange={set('password')}
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
