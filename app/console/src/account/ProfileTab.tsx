import { Stack } from '@mantine/core';
import type { ReactNode } from 'react';
import { useState } from 'react';
import { useChange } from '../api';
import {
  Form,
  Meanwhile,
  PasswordField,
  TextField,
  Unsaved,
  sharedWords,
  useEdits,
  useNotify,
} from '../shared';
import { AccountFacts } from './AccountFacts';
import { UpdateViewerMutation } from './operations';
import type { Account, AccountUser } from './operations';
import { words } from './words';

interface ProfileTabProps {
  readonly account: Account;
  readonly user: AccountUser;
}

/** The viewer's display name and email address, and what the registry knows of them. */
export function ProfileTab({ account, user }: ProfileTabProps): ReactNode {
  return (
    <Stack gap="xl" maw={640}>
      <ProfileForm user={user} />
      <AccountFacts account={account} user={user} />
    </Stack>
  );
}

function ProfileForm({ user }: { readonly user: AccountUser }): ReactNode {
  const notify = useNotify();
  const { values, edits, theirs, take, set, isDirty, reset } = useEdits({
    email: user.email ?? '',
    displayName: user.displayName ?? '',
  });
  const [password, setPassword] = useState('');
  const change = useChange(UpdateViewerMutation, {
    payload: (data) => data.updateViewer,
    touches: ['User'],
  });
  const isOtherEmail = values.email.trim() !== (user.email ?? '');
  const submit = async (): Promise<void> => {
    const outcome = await change.run({
      input: {
        ifRevision: user.revision,
        ...(edits.displayName === undefined ? {} : { displayName: edits.displayName.trim() }),
        ...(isOtherEmail ? { email: values.email.trim(), password } : {}),
      },
    });
    setPassword('');
    if (outcome.isDone) {
      const saved = outcome.payload.user;
      reset({ email: saved?.email ?? '', displayName: saved?.displayName ?? '' }, values);
      notify({ kind: 'status', text: sharedWords.saved });
    }
  };
  return (
    <Form
      change={change}
      submit={words.save}
      onSubmit={() => void submit()}
      isDisabled={!isDirty}
      label={words.tabs.profile}
    >
      <Unsaved isDirty={isDirty} />
      <Meanwhile
        theirs={theirs}
        onTake={take}
        describe={{
          email: (text) => [words.email, text],
          displayName: (text) => [words.displayName, text],
        }}
      />
      <TextField
        path="displayName"
        label={words.displayName}
        value={values.displayName}
        onChange={set('displayName')}
        autoComplete="name"
      />
      <TextField
        path="email"
        type="email"
        label={words.email}
        value={values.email}
        onChange={set('email')}
        autoComplete="email"
      />
      {isOtherEmail ? (
        <PasswordField
          path="password"
          label={words.current}
          description={words.currentHint}
          autoComplete="current-password"
          value={password}
          onChange={setPassword}
          isRequired
        />
      ) : null}
    </Form>
  );
}
