import { NativeSelect, TextInput } from '@mantine/core';
import { useState } from 'react';
import type { ReactNode } from 'react';
import type { RoleInfo } from '../access';
import { OrgPicker, PersonPicker } from '../shared';
import type { PickerProps, TableState } from '../shared';
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

interface PickFilterProps extends Pick<ChoiceProps, 'table' | 'name' | 'label'> {
  readonly picker: (props: PickerProps) => ReactNode;
}

/** A text with suggestions. It counts when one is picked, and when the field is left or sent by Enter. */
function PickFilter({ table, name, label, picker: OnePicker }: PickFilterProps): ReactNode {
  const value = table.filter(name) ?? '';
  const [text, setText] = useState(value);
  const [known, setKnown] = useState(value);
  if (known !== value) {
    setKnown(value);
    setText(value);
  }
  const apply = (picked: string): void => {
    if (picked.trim() !== value) {
      table.setFilter(name, picked.trim() || undefined);
    }
  };
  return (
    <OnePicker path={name} label={label} value={text} onChange={setText} onCommit={apply} isLabelHidden />
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
      <PickFilter table={table} name="org" label={words.orgFilter} picker={OrgPicker} />
      <PickFilter table={table} name="owner" label={words.ownerFilter} picker={PersonPicker} />
      <TextInput
        type="date"
        label={words.sinceFilter}
        value={table.filter('since') ?? ''}
        onChange={(event) => table.setFilter('since', event.currentTarget.value || undefined)}
      />
    </>
  );
}
