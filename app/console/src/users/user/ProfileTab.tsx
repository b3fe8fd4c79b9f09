import { Stack } from '@mantine/core';
import type { ReactNode } from 'react';
import { useChange } from '../../api';
import {
  Form,
  Hidden,
  Meanwhile,
  MultiSelectField,
  TextField,
  Unsaved,
  sharedWords,
  useEdits,
  useNotify,
  joined,
} from '../../shared';
import { AccountActs } from './AccountActs';
import { AssignRolesMutation, UpdateUserMutation } from './changes';
import { Facts } from './Facts';
import type { RoleChoice, UserDetails } from './operations';
import { words } from './words';

interface ProfileTabProps {
  readonly user: UserDetails;
  readonly roles: readonly RoleChoice[];
}

/** What is known of a user, email address and display name, roles, and what can be done with the account. */
export function ProfileTab({ user, roles }: ProfileTabProps): ReactNode {
  return (
    <Stack gap="xl" maw={640}>
      <Facts user={user} />
      {user.viewerCan.update ? <ProfileForm user={user} /> : null}
      {user.viewerCan.assignRoles ? <RolesForm user={user} roles={roles} /> : null}
      <AccountActs user={user} />
    </Stack>
  );
}

function ProfileForm({ user }: { readonly user: UserDetails }): ReactNode {
  const notify = useNotify();
  const start = { email: user.email ?? '', displayName: user.displayName ?? '' };
  const { values, edits, theirs, take, set, isDirty, reset } = useEdits(start);
  const change = useChange(UpdateUserMutation, {
    payload: (data) => data.updateUser,
    touches: ['User'],
  });
  const submit = async (): Promise<void> => {
    const email = edits.email?.trim();
    const displayName = edits.displayName?.trim();
    const clear = [
      ...(email === '' ? (['EMAIL'] as const) : []),
      ...(displayName === '' ? (['DISPLAY_NAME'] as const) : []),
    ];
    const outcome = await change.run({
      input: {
        user: { id: user.id },
        ifRevision: user.revision,
        ...(email ? { email } : {}),
        ...(displayName ? { displayName } : {}),
        ...(clear.length === 0 ? {} : { clear }),
      },
    });
    if (outcome.isDone) {
      const { user: saved } = outcome.payload;
      reset({ email: saved?.email ?? '', displayName: saved?.displayName ?? '' }, values);
      notify({ kind: 'status', text: sharedWords.saved });
    }
  };
  return (
    <Form
      change={change}
      submit={words.saveProfile}
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
      <TextField path="email" type="email" label={words.email} value={values.email} onChange={set('email')} />
      <TextField
        path="displayName"
        label={words.displayName}
        value={values.displayName}
        onChange={set('displayName')}
      />
    </Form>
  );
}

function RolesForm({ user, roles }: ProfileTabProps): ReactNode {
  const notify = useNotify();
  const current = (user.roles ?? []).map(({ name }) => name);
  const { values, theirs, take, set, isDirty, reset } = useEdits<{ roles: readonly string[] }>({
    roles: current,
  });
  const change = useChange(AssignRolesMutation, {
    payload: (data) => data.assignRoles,
    touches: ['Role', 'User', 'Viewer'],
  });
  if (user.roles === null) {
    return <Hidden />;
  }
  const submit = async (): Promise<void> => {
    const input = { user: { id: user.id }, ifRevision: user.revision, roles: [...values.roles] };
    const outcome = await change.run({ input });
    if (outcome.isDone) {
      reset(values, values);
      notify({ kind: 'status', text: sharedWords.saved });
    }
  };
  return (
    <Form
      change={change}
      submit={words.saveRoles}
      onSubmit={() => void submit()}
      isDisabled={!isDirty}
      label={words.roles}
    >
      <Unsaved isDirty={isDirty} />
      <Meanwhile
        theirs={theirs}
        onTake={take}
        describe={{ roles: (names) => [words.roles, joined(names)] }}
      />
      <MultiSelectField
        path="roles"
        label={words.roles}
        choices={roles.map(({ name }) => ({ value: name, label: name }))}
        value={values.roles}
        onChange={set('roles')}
      />
    </Form>
  );
}
