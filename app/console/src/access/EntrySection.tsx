import { Group, Stack, Switch, Text, Title } from '@mantine/core';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { EndsText, Table, endAfterDays, useTable } from '../shared';
import type { Column } from '../shared';
import { bulkActions, partOf } from './bulk';
import type { Editing } from './bulk';
import { EditDialog } from './EditDialog';
import { EntryName, rolesText } from './EntryName';
import type { RoleInfo } from './fragments';
import type { Entry } from './draft';
import { OriginText } from './Origin';
import { RowActions } from './RowActions';
import { filterRows, pageOf, rowsOf, subjectName } from './rows';
import type { EntryRow } from './rows';
import type { SubjectKey } from './subjects';
import type { Panel } from './usePanel';
import { useRowFocus } from './useRowFocus';
import { words } from './words';

interface EntrySectionProps {
  readonly kind: 'group' | 'user';
  readonly title: string;
  readonly about: string;
  readonly none: string;
  readonly panel: Panel;
  readonly roles: readonly RoleInfo[];
  readonly errors: ReadonlyMap<SubjectKey, string>;
  readonly isDisabled: boolean;
  /** The button that adds rows. */
  readonly add: ReactNode;
}

const SIZES = [50, 20, 100] as const;
const RENEWED_FOR = 30;
const SEARCH_FROM = 10;

/** Groups or people with their roles and ends: a table of the draft. */
export function EntrySection(props: EntrySectionProps): ReactNode {
  const { kind, title, about, none, panel, roles, errors, isDisabled, add } = props;
  const { state, dispatch } = panel;
  const [editing, setEditing] = useState<Editing | null>(null);
  const [onlyChanged, setOnlyChanged] = useState(false);
  const isDirty = panel.edits.length > 0;
  const [wasDirty, setWasDirty] = useState(isDirty);
  if (wasDirty !== isDirty) {
    setWasDirty(isDirty);
    // After Submit or Revert nothing is changed, and every row would be hidden.
    setOnlyChanged(onlyChanged && isDirty);
  }
  const table = useTable({ keeping: 'memory', sizes: SIZES });
  const all = rowsOf(state, kind);
  const filtered = filterRows(all, { search: table.search ?? '', onlyChanged });
  const { place, focusNext, focusRow } = useRowFocus(filtered.map(({ key }) => key));
  const isLong = all.length > SEARCH_FROM;

  const editOne = (row: EntryRow, start: Entry): void =>
    setEditing({ keys: [row.key], part: 'all', title: words.edit(subjectName(row.subject)), start });
  const remove = (keys: readonly SubjectKey[]): void => {
    focusNext(keys);
    table.selection.set(
      keys.map((id) => ({ id, name: '' })),
      false,
    );
    dispatch({ kind: 'editMany', keys, part: null });
  };
  const undo = ({ key }: EntryRow): void => {
    focusRow(key);
    dispatch({ kind: 'undo', key });
  };
  const actions = (row: EntryRow): ReactNode => (
    <RowActions
      row={row}
      isDisabled={isDisabled}
      onEdit={() => editOne(row, row.entry)}
      onRenew={() => editOne(row, { ...row.entry, expiresAt: endAfterDays(RENEWED_FOR, Date.now()) })}
      onRemove={() => remove([row.key])}
      onUndo={() => undo(row)}
    />
  );
  const done =
    ({ keys, part }: Editing) =>
    (entry: Entry): void => {
      const [key] = keys;
      if (part !== 'all') {
        dispatch({ kind: 'editMany', keys, part: partOf(entry, part) });
      } else if (key !== undefined) {
        dispatch({ kind: 'edit', key, entry });
      }
    };
  return (
    <Stack component="section" gap="sm" aria-label={title} ref={place}>
      <SectionHead title={title} about={about} add={add} />
      <Table
        label={title}
        table={table}
        rows={pageOf(filtered, table.place)}
        rowId={({ key }) => key}
        rowName={({ subject }) => subjectName(subject)}
        readAll={({ most }) => Promise.resolve({ isDone: true, rows: filtered.slice(0, most) })}
        hasSearch={isLong}
        {...(all.length > 0
          ? { filters: <OnlyChanged value={onlyChanged} onChange={setOnlyChanged} /> }
          : {})}
        columns={columnsOf(panel, roles, errors)}
        actions={actions}
        fixedTick={({ state: rowState }) => (isDisabled || rowState === 'removed' ? false : undefined)}
        bulk={all.length > 1 && !isDisabled ? bulkActions(setEditing, remove) : []}
        empty={<Text size="sm">{all.length > 0 ? words.noneChanged : none}</Text>}
      />
      {editing === null ? null : (
        <EditDialog {...editing} roles={roles} onDone={done(editing)} onClose={() => setEditing(null)} />
      )}
    </Stack>
  );
}

function columnsOf(
  panel: Panel,
  roles: readonly RoleInfo[],
  errors: EntrySectionProps['errors'],
): readonly Column<EntryRow, never>[] {
  return [
    {
      key: 'name',
      label: words.name,
      cell: (row) => <EntryName {...{ row, panel, roles }} error={errors.get(row.key)} />,
    },
    { key: 'roles', label: words.grantedRoles, cell: ({ entry }) => rolesText(entry.roles, roles) },
    { key: 'ends', label: words.ends, cell: ({ entry }) => <EndsText value={entry.expiresAt} /> },
    {
      key: 'granted',
      label: words.grantedBy,
      cell: ({ key }) => <OriginText origin={panel.state.base.origins.get(key)} />,
    },
  ];
}

function SectionHead({ title, about, add }: Pick<EntrySectionProps, 'title' | 'about' | 'add'>): ReactNode {
  return (
    <Group justify="space-between" align="flex-end">
      <div>
        <Title order={3} size="h4">
          {title}
        </Title>
        <Text size="sm" c="dimmed">
          {about}
        </Text>
      </div>
      {add}
    </Group>
  );
}

interface OnlyChangedProps {
  readonly value: boolean;
  readonly onChange: (value: boolean) => void;
}

function OnlyChanged({ value, onChange }: OnlyChangedProps): ReactNode {
  return (
    <Switch
      label={words.onlyChanged}
      checked={value}
      onChange={(event) => onChange(event.currentTarget.checked)}
    />
  );
}
