import { useEffect, useRef, useState } from 'react';
import type { ReactNode } from 'react';
import { SignInMutation, useChange, useSessionControls } from '../api';
import { Form, PasswordField, TextField } from '../shared';
import { words } from './words';

interface SignInFormProps {
  readonly userName?: string;
}

/** User name and password. After a wrong password the name stays, and the password gets the focus. */
export function SignInForm({ userName = '' }: SignInFormProps): ReactNode {
  const [name, setName] = useState(userName);
  const [password, setPassword] = useState('');
  const { enter } = useSessionControls();
  const change = useChange(SignInMutation, { payload: (data) => data.login });
  const box = useRef<HTMLDivElement>(null);

  useEffect(() => {
    const field = userName === '' ? 'userName' : 'password';
    box.current?.querySelector<HTMLInputElement>(`[name="${field}"]`)?.focus();
  }, [userName]);
  useEffect(() => {
    if (change.topFailures.length > 0) {
      box.current?.querySelector<HTMLInputElement>('[name="password"]')?.focus();
    }
  }, [change.topFailures]);

  const submit = async (): Promise<void> => {
    const outcome = await change.run({ input: { userName: name.trim(), password } });
    setPassword('');
    if (outcome.isDone) {
      const id = outcome.payload.session?.user?.id;
      if (id !== undefined) {
        enter(id);
      }
    }
  };
  return (
    <div ref={box}>
      <Form change={change} submit={words.signIn} onSubmit={() => void submit()} label={words.title}>
        <TextField
          path="userName"
          label={words.userName}
          value={name}
          onChange={setName}
          autoComplete="username"
          isRequired
        />
        <PasswordField
          path="password"
          label={words.password}
          value={password}
          onChange={setPassword}
          autoComplete="current-password"
          isRequired
          isFirst={userName !== ''}
        />
      </Form>
    </div>
  );
}
