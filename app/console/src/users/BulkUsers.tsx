import { Select } from '@mantine/core';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { useClient } from 'urql';
import { outcomeOf } from '../api';
import { CheckedBulk, useEditedNote } from '../shared';
import type { CheckedAct, Selected } from '../shared';
import { AddRolesMutation, DeactivateUserMutation, RemoveRolesMutation } from './changes';
import { words } from './words';

export type BulkKind = 'giveRole' | 'takeRole' | 'deactivate';

interface BulkUsersProps {
  readonly kind: BulkKind;
  readonly items: readonly Selected[];
  readonly roles: readonly string[];
  readonly onClose: () => void;
}

function useAct(kind: BulkKind, role: string): CheckedAct {
  const client = useClient();
  return async ({ id }, validateOnly) => {
    const user = { id };
    if (kind === 'deactivate') {
      const input = { user, validateOnly };
      const result = await client.mutation(DeactivateUserMutation, { input }).toPromise();
      return outcomeOf(result, (data) => data.deactivateUser);
    }
    const input = { user, roles: [role], validateOnly };
    if (kind === 'giveRole') {
      const result = await client.mutation(AddRolesMutation, { input }).toPromise();
      return outcomeOf(result, (data) => data.addRoles);
    }
    const result = await client.mutation(RemoveRolesMutation, { input }).toPromise();
    return outcomeOf(result, (data) => data.removeRoles);
  };
}

function textOf(kind: BulkKind, role: string | null): string {
  if (kind === 'deactivate' || role === null) {
    return kind === 'deactivate' ? words.deactivateText : words.chooseRole;
  }
  return kind === 'giveRole' ? words.giveRoleText(role) : words.takeRoleText(role);
}

/** An act on the ticked users. */
export function BulkUsers({ kind, items, roles, onClose }: BulkUsersProps): ReactNode {
  const [role, setRole] = useState<string | null>(null);
  const act = useAct(kind, role ?? '');
  const needsRole = kind !== 'deactivate';
  return (
    <CheckedBulk
      {...{ items, act, onClose }}
      title={words[kind](items.length)}
      text={textOf(kind, role)}
      isReady={!needsRole || role !== null}
    >
      {needsRole ? <RoleChoice roles={roles} value={role} onChange={setRole} /> : null}
    </CheckedBulk>
  );
}

interface RoleChoiceProps extends Pick<BulkUsersProps, 'roles'> {
  readonly value: string | null;
  readonly onChange: (role: string | null) => void;
}

function RoleChoice({ roles, value, onChange }: RoleChoiceProps): ReactNode {
  useEditedNote(value ?? '');
  return (
    <Select
      label={words.role}
      data={[...roles]}
      value={value}
      onChange={onChange}
      searchable
      data-autofocus
    />
  );
}
