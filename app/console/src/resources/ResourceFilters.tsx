import { NativeSelect, TextInput } from '@mantine/core';
import { useState } from 'react';
import type { ReactNode } from 'react';
import type { RoleInfo } from '../access';
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

type TextFilterProps = Pick<ChoiceProps, 'table' | 'name' | 'label'>;

/** A text that counts when it is left or sent by Enter. */
function TextFilter({ table, name, label }: TextFilterProps): ReactNode {
  const value = table.filter(name) ?? '';
  const [text, setText] = useState(value);
  const [known, setKnown] = useState(value);
  if (known !== value) {
    setKnown(value);
    setText(value);
  }
  const apply = (): void => {
    if (text.trim() !== value) {
      table.setFilter(name, text.trim() || undefined);
    }
  };
  return (
    <TextInput
      aria-label={label}
      placeholder={label}
      value={text}
      onChange={(event) => setText(event.currentTarget.value)}
      onBlur={apply}
      onKeyDown={(event) => (event.key === 'Enter' ? apply() : undefined)}
    />
  );
}

/** Type, org, owner, own role and lock. */
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
      <TextFilter table={table} name="org" label={words.orgFilter} />
      <TextFilter table={table} name="owner" label={words.ownerFilter} />
    </>
  );
}
