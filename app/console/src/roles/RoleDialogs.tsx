import { Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { useChange } from '../api';
import type { Permission } from '../api';
import {
  AreaField,
  Confirm,
  Form,
  FormDialog,
  LinkTo,
  Meanwhile,
  TextField,
  Unsaved,
  useEdits,
  useNotify,
} from '../shared';
import type { FormChange } from '../shared';
import { CreateRoleMutation, DeleteRoleMutation, UpdateRoleMutation } from './operations';
import type { PermissionInfo, RoleRow } from './operations';
import { PermissionSwitches } from './PermissionSwitches';
import { words } from './words';

interface RoleFields {
  readonly name: string;
  readonly description: string;
  readonly permissions: readonly Permission[];
}

interface RoleFormProps {
  readonly title: string;
  readonly submit: string;
  /** What is stored now. */
  readonly stored: RoleFields;
  readonly all: readonly PermissionInfo[];
  readonly change: FormChange;
  readonly onSubmit: (fields: RoleFields, edits: Partial<RoleFields>) => void;
  readonly onClose: () => void;
}

function RoleForm({ title, submit, stored, all, change, onSubmit, onClose }: RoleFormProps): ReactNode {
  const { values, edits, theirs, take, set, isDirty } = useEdits<RoleFields>(stored);
  const labels = new Map(all.map(({ permission, label }) => [permission, label]));
  return (
    <FormDialog onClose={onClose} title={title} size="lg">
      <Unsaved isDirty={isDirty} />
      <Form
        change={change}
        submit={submit}
        onSubmit={() => onSubmit(values, edits)}
        isDisabled={!isDirty}
        onCancel={onClose}
        label={title}
      >
        <Meanwhile
          theirs={theirs}
          onTake={take}
          describe={{
            name: (text) => [words.name, text],
            description: (text) => [words.description, text],
            permissions: (current) => [
              words.permissions,
              current.map((each) => labels.get(each) ?? each).join(', '),
            ],
          }}
        />
        <TextField
          path="name"
          label={words.name}
          value={values.name}
          onChange={set('name')}
          isRequired
          isFirst
        />
        <AreaField
          path="description"
          label={words.description}
          value={values.description}
          onChange={set('description')}
        />
        <PermissionSwitches all={all} value={values.permissions} onChange={set('permissions')} />
      </Form>
    </FormDialog>
  );
}

interface AddRoleProps {
  readonly all: readonly PermissionInfo[];
  readonly onClose: () => void;
}

const EMPTY: RoleFields = { name: '', description: '', permissions: [] };

export function AddRole({ all, onClose }: AddRoleProps): ReactNode {
  const notify = useNotify();
  const change = useChange(CreateRoleMutation, { payload: (data) => data.createRole, touches: ['Role'] });
  const submit = async (fields: RoleFields): Promise<void> => {
    const outcome = await change.run({ input: { ...fields, permissions: [...fields.permissions] } });
    if (outcome.isDone) {
      notify({ kind: 'status', text: words.created(fields.name) });
      onClose();
    }
  };
  return (
    <RoleForm
      title={words.add}
      submit={words.create}
      stored={EMPTY}
      {...{ all, change, onClose }}
      onSubmit={(fields) => void submit(fields)}
    />
  );
}

const fieldsOf = ({ name, description, permissions }: RoleRow): RoleFields => ({
  name,
  description,
  permissions,
});

interface EditRoleProps extends AddRoleProps {
  readonly role: RoleRow;
}

export function EditRole({ role, all, onClose }: EditRoleProps): ReactNode {
  const change = useChange(UpdateRoleMutation, { payload: (data) => data.updateRole, touches: ['Role'] });
  const submit = async ({ permissions, ...edits }: Partial<RoleFields>): Promise<void> => {
    const outcome = await change.run({
      input: {
        role: { id: role.id },
        ifRevision: role.revision,
        ...edits,
        ...(permissions === undefined ? {} : { permissions: [...permissions] }),
      },
    });
    if (outcome.isDone) {
      onClose();
    }
  };
  return (
    <RoleForm
      title={words.editTitle(role.name)}
      submit={words.save}
      stored={fieldsOf(role)}
      {...{ all, change, onClose }}
      onSubmit={(_, edits) => void submit(edits)}
    />
  );
}

interface DeleteRoleProps {
  readonly role: RoleRow;
  readonly onClose: () => void;
}

/** Asks before a role is deleted, and says who holds it. */
export function DeleteRole({ role, onClose }: DeleteRoleProps): ReactNode {
  const change = useChange(DeleteRoleMutation, {
    payload: (data) => data.deleteRole,
    touches: ['Role', 'User'],
  });
  const confirm = async (): Promise<void> => {
    const outcome = await change.run({ input: { role: { id: role.id } } });
    if (outcome.isDone) {
      onClose();
    }
  };
  const count = role.users?.totalCount ?? 0;
  const title = words.deleteTitle(role.name);
  return (
    <Confirm isOpen {...{ onClose, title, change }} act={words.delete} onConfirm={() => void confirm()}>
      {count === 0 ? (
        <Text size="sm">{words.deleteText}</Text>
      ) : (
        <Text size="sm">
          {words.hold(count)}{' '}
          <LinkTo to="/settings/users" search={{ role: role.name }}>
            {words.takeFirst}
          </LinkTo>
        </Text>
      )}
    </Confirm>
  );
}
