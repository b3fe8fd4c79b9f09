import { NativeSelect, TextInput } from '@mantine/core';
import { useState } from 'react';
import type { ReactNode } from 'react';
import type { RoleInfo } from '../access';
import { OrgPicker, PersonPicker, useFindPerson } from '../shared';
import type { TableState } from '../shared';
import type { TypeRow } from './operations';
import { words } from './words';

interface ResourceFiltersProps {
  readonly table: Pick<TableState<never>, 'filter' | 'setFilter'>;
  readonly types: readonly TypeRow[];
  readonly labels: readonly Pick<RoleInfo, 'role' | 'label'>[];
}

interface ChoiceProps extends Pick<ResourceFiltersProps, 'table'> {
  readonly name: string;
  readonly label: string;
  readonly all: string;
  readonly choices: readonly { readonly value: string; readonly label: string }[];
}

function Choice({ table, name, label, all, choices }: ChoiceProps): ReactNode {
  return (
    <NativeSelect
      aria-label={label}
      data={[{ value: '', label: all }, ...choices]}
      value={table.filter(name) ?? ''}
      onChange={(event) => table.setFilter(name, event.currentTarget.value || undefined)}
    />
  );
}

/** What is typed in a filter, until the filter in the address is another one. */
function useTyped(value: string) {
  const [text, setText] = useState(value);
  const [lastValue, setLastValue] = useState(value);
  if (lastValue !== value) {
    setLastValue(value);
    setText(value);
  }
  return { text, setText };
}

/** A slug. It counts when one is picked, and when the field is left or sent by Enter. */
function OrgFilter({ table }: Pick<ResourceFiltersProps, 'table'>): ReactNode {
  const value = table.filter('org') ?? '';
  const { text, setText } = useTyped(value);
  const apply = (picked: string): void => {
    if (picked.trim() !== value) {
      table.setFilter('org', picked.trim() || undefined);
    }
  };
  return (
    <OrgPicker
      path="org"
      label={words.orgFilter}
      value={text}
      onChange={setText}
      onCommit={apply}
      isLabelHidden
    />
  );
}

/** A user name, or an email address that is looked up first. The address of the page has the name. */
function OwnerFilter({ table }: Pick<ResourceFiltersProps, 'table'>): ReactNode {
  const value = table.filter('owner') ?? '';
  const { find, problemOf } = useFindPerson();
  const { text, setText } = useTyped(value);
  const apply = async (picked: string): Promise<void> => {
    if (picked.trim() === value) {
      return;
    }
    const userName = picked.trim() === '' ? '' : await find(picked);
    if (userName !== null) {
      setText(userName);
      table.setFilter('owner', userName || undefined);
    }
  };
  return (
    <PersonPicker
      path="owner"
      label={words.ownerFilter}
      value={text}
      onChange={setText}
      onCommit={(picked) => void apply(picked)}
      problem={problemOf(text)}
      isLabelHidden
      isBrief
    />
  );
}

/** Type, own role, lock, org, owner and last change. */
export function ResourceFilters({ table, types, labels }: ResourceFiltersProps): ReactNode {
  return (
    <>
      <Choice
        table={table}
        name="type"
        label={words.type}
        all={words.allTypes}
        choices={types.map(({ name, label }) => ({ value: name, label }))}
      />
      <Choice
        table={table}
        name="role"
        label={words.myRoles}
        all={words.anyRole}
        choices={labels.map(({ role, label }) => ({ value: role, label }))}
      />
      <Choice
        table={table}
        name="lock"
        label={words.lock}
        all={words.anyLock}
        choices={[
          { value: 'yes', label: words.lockedOnly },
          { value: 'no', label: words.unlockedOnly },
        ]}
      />
      <OrgFilter table={table} />
      <OwnerFilter table={table} />
      <TextInput
        type="date"
        label={words.sinceFilter}
        value={table.filter('since') ?? ''}
        onChange={(event) => table.setFilter('since', event.currentTarget.value || undefined)}
      />
    </>
  );
}
