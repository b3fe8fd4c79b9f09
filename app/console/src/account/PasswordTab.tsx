import { Stack, Text } from '@mantine/core';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { useChange } from '../api';
import { Form, NewPasswordField, PasswordField, Unsaved, useNotify, useValues } from '../shared';
import type { FormChange } from '../shared';
import { ChangePasswordMutation } from './operations';
import { words } from './words';

interface PasswordTabProps {
  /** False if an identity provider keeps the account. */
  readonly mayChange: boolean;
  readonly userName: string;
}

const EMPTY = { oldPassword: '', newPassword: '', again: '' };

/** Changes the viewer's password. All their other sessions end. */
export function PasswordTab({ mayChange, userName }: PasswordTabProps): ReactNode {
  const { values, set, reset, isDirty } = useValues(EMPTY);
  const [isSaved, setIsSaved] = useState(false);
  const [isDifferent, setIsDifferent] = useState(false);
  const notify = useNotify();
  const change = useChange(ChangePasswordMutation, {
    payload: (data) => data.changePassword,
    touches: ['Viewer'],
  });
  if (!mayChange) {
    return <Text>{words.elsewhere}</Text>;
  }
  const submit = async (): Promise<void> => {
    const { oldPassword, newPassword, again } = values;
    setIsSaved(false);
    setIsDifferent(newPassword !== again);
    if (newPassword === again && (await change.run({ input: { oldPassword, newPassword } })).isDone) {
      reset(EMPTY);
      setIsSaved(true);
      notify({ kind: 'status', text: words.changed });
    }
  };
  const form: FormChange = isDifferent
    ? { ...change, fieldErrors: new Map([['again', words.differs]]) }
    : change;
  return (
    <Stack maw={400}>
      <Text size="sm">{words.changeText}</Text>
      {isSaved ? <Text role="status">{words.changed}</Text> : null}
      <Form change={form} submit={words.change} onSubmit={() => void submit()} label={words.tabs.password}>
        <Unsaved isDirty={isDirty} />
        <input type="text" name="username" autoComplete="username" value={userName} readOnly hidden />
        <PasswordField
          path="oldPassword"
          label={words.oldPassword}
          autoComplete="current-password"
          value={values.oldPassword}
          onChange={set('oldPassword')}
          isRequired
        />
        <NewPasswordField
          path="newPassword"
          label={words.newPassword}
          value={values.newPassword}
          onChange={set('newPassword')}
        />
        <PasswordField
          path="again"
          label={words.again}
          autoComplete="new-password"
          value={values.again}
          onChange={set('again')}
          isRequired
        />
      </Form>
    </Stack>
  );
}
