import { Stack } from '@mantine/core';
import type { ReactNode } from 'react';
import { useChange } from '../../api';
import {
  Form,
  Hidden,
  MultiSelectField,
  TextField,
  Unsaved,
  sharedWords,
  useNotify,
  useValues,
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

/** What is known of a user, e-mail address and display name, roles, and what can be done with the account. */
export function ProfileTab({ user, roles }: ProfileTabProps): ReactNode {
  return (
    <Stack gap="xl" maw={640}>
      <Facts user={user} />
      {user.viewerCan.update ? <ProfileForm user={user} /> : null}
      {user.viewerCan.assignRoles ? (
        <RolesForm key={JSON.stringify(user.roles)} user={user} roles={roles} />
      ) : null}
      <AccountActs user={user} />
    </Stack>
  );
}

function ProfileForm({ user }: { readonly user: UserDetails }): ReactNode {
  const notify = useNotify();
  const start = { email: user.email ?? '', displayName: user.displayName ?? '' };
  const { values, set, isDirty, reset } = useValues(start);
  const change = useChange(UpdateUserMutation, { payload: (data) => data.updateUser });
  const submit = async (): Promise<void> => {
    const email = values.email.trim();
    const displayName = values.displayName.trim();
    const clear = [
      ...(email === '' && user.email !== null ? (['EMAIL'] as const) : []),
      ...(displayName === '' && user.displayName !== null ? (['DISPLAY_NAME'] as const) : []),
    ];
    const outcome = await change.run({
      input: {
        user: { id: user.id },
        ifRevision: user.revision,
        ...(email === '' ? {} : { email }),
        ...(displayName === '' ? {} : { displayName }),
        ...(clear.length === 0 ? {} : { clear }),
      },
    });
    if (outcome.isDone) {
      const { user: saved } = outcome.payload;
      reset({ email: saved?.email ?? '', displayName: saved?.displayName ?? '' });
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
  const held = (user.roles ?? []).map(({ name }) => name);
  const { values, set, isDirty, reset } = useValues<{ roles: readonly string[] }>({ roles: held });
  const change = useChange(AssignRolesMutation, {
    payload: (data) => data.assignRoles,
    touches: ['Role', 'Viewer'],
  });
  if (user.roles === null) {
    return <Hidden />;
  }
  const submit = async (): Promise<void> => {
    const input = { user: { id: user.id }, ifRevision: user.revision, roles: [...values.roles] };
    const outcome = await change.run({ input });
    if (outcome.isDone) {
      reset(values);
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
