import { Select, TextInput } from '@mantine/core';
import type { ReactNode } from 'react';
import type { TableState } from '../shared';
import type { UserSort } from './columns';
import { words } from './words';

interface UserFiltersProps {
  readonly table: TableState<UserSort>;
  readonly roles: readonly string[];
}

const STATES = ['active', 'deactivated', 'service'] as const;

/** Role, "not signed in since", state: all in the address. */
export function UserFilters({ table, roles }: UserFiltersProps): ReactNode {
  return (
    <>
      <Select
        label={words.filterRole}
        placeholder={words.anyRole}
        clearable
        searchable
        clearButtonProps={{ 'aria-label': words.anyRole }}
        data={[...roles]}
        value={table.filter('role') ?? null}
        onChange={(role) => table.setFilter('role', role ?? undefined)}
      />
      <TextInput
        type="date"
        label={words.filterLogin}
        value={table.filter('since') ?? ''}
        onChange={(event) => table.setFilter('since', event.currentTarget.value || undefined)}
      />
      <Select
        label={words.filterState}
        placeholder={words.anyState}
        clearable
        clearButtonProps={{ 'aria-label': words.anyState }}
        data={STATES.map((value) => ({ value, label: words.states[value] }))}
        value={table.filter('state') ?? null}
        onChange={(state) => table.setFilter('state', state ?? undefined)}
      />
    </>
  );
}
