import { Group, Stack, Switch, Text, Title } from '@mantine/core';
import { useEffect, useRef, useState } from 'react';
import type { ReactNode } from 'react';
import { EndsText, Table, endAfterDays, useTable } from '../shared';
import { EditDialog } from './EditDialog';
import { EntryName, rolesText } from './EntryName';
import type { RoleInfo } from './fragments';
import { NO_ROLES } from './draft';
import type { Entry } from './draft';
import { RowActions } from './RowActions';
import { filterRows, pageOf, rowsOf, subjectName } from './rows';
import type { EntryRow } from './rows';
import type { SubjectKey } from './subjects';
import type { Panel } from './usePanel';
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

interface Editing {
  readonly keys: readonly SubjectKey[];
  readonly title: string;
  readonly about?: string;
  readonly start: Entry;
}

const SIZES = [50, 20, 100] as const;
const RENEWED_FOR = 30;
const SEARCH_FROM = 10;

/** Give the focus to the row that took the place of a row that went. */
function useRowFocus(keys: readonly SubjectKey[]): {
  readonly place: React.RefObject<HTMLDivElement | null>;
  readonly focusAfter: (key: SubjectKey) => void;
} {
  const place = useRef<HTMLDivElement>(null);
  const wanted = useRef<readonly SubjectKey[]>([]);
  useEffect(() => {
    const buttons = [...(place.current?.querySelectorAll<HTMLElement>('[data-row-key]') ?? [])];
    const target = wanted.current
      .map((key) => buttons.find((button) => button.dataset['rowKey'] === key))
      .find((button) => button !== undefined);
    wanted.current = [];
    target?.focus();
  });
  const focusAfter = (key: SubjectKey): void => {
    const at = keys.indexOf(key);
    wanted.current = [key, ...keys.slice(at + 1, at + 2), ...keys.slice(Math.max(0, at - 1), at)];
  };
  return { place, focusAfter };
}

/** Groups or people with their roles and ends: a table of the draft. */
export function EntrySection(props: EntrySectionProps): ReactNode {
  const { kind, title, about, none, panel, roles, errors, isDisabled, add } = props;
  const { state, dispatch } = panel;
  const [editing, setEditing] = useState<Editing | null>(null);
  const [onlyChanged, setOnlyChanged] = useState(false);
  const table = useTable({ keeping: 'memory', sizes: SIZES });
  const all = rowsOf(state, kind);
  const shown = filterRows(all, { search: table.search ?? '', onlyChanged });
  const { place, focusAfter } = useRowFocus(shown.map(({ key }) => key));
  const isLong = all.length > SEARCH_FROM;

  const editOne = (row: EntryRow, start: Entry): void =>
    setEditing({ keys: [row.key], title: words.edit(subjectName(row.subject)), start });
  const change = (row: EntryRow, action: 'remove' | 'undo'): void => {
    focusAfter(row.key);
    dispatch(
      action === 'undo' ? { kind: 'undo', key: row.key } : { kind: 'edit', key: row.key, entry: null },
    );
  };
  const actions = (row: EntryRow): ReactNode => (
    <RowActions
      row={row}
      isDisabled={isDisabled}
      onEdit={() => editOne(row, row.entry)}
      onRenew={() => editOne(row, { ...row.entry, expiresAt: endAfterDays(RENEWED_FOR, Date.now()) })}
      onRemove={() => change(row, 'remove')}
      onUndo={() => change(row, 'undo')}
    />
  );
  return (
    <Stack component="section" gap="sm" aria-label={title} ref={place}>
      <SectionHead title={title} about={about} add={add} />
      <Table
        label={title}
        table={table}
        rows={pageOf(shown, table.place)}
        rowId={({ key }) => key}
        rowName={({ subject }) => subjectName(subject)}
        hasSearch={isLong}
        {...(isLong ? { filters: <OnlyChanged value={onlyChanged} onChange={setOnlyChanged} /> } : {})}
        columns={[
          {
            key: 'name',
            label: words.name,
            cell: (row) => <EntryName {...{ row, panel, roles }} error={errors.get(row.key)} />,
          },
          { key: 'roles', label: words.grantedRoles, cell: ({ entry }) => rolesText(entry.roles, roles) },
          { key: 'ends', label: words.ends, cell: ({ entry }) => <EndsText value={entry.expiresAt} /> },
        ]}
        actions={actions}
        fixedTick={({ state: rowState }) => (isDisabled || rowState === 'removed' ? false : undefined)}
        bulk={isLong ? bulkActions(table.selection.clear, panel, setEditing) : []}
        empty={<Text size="sm">{none}</Text>}
      />
      {editing === null ? null : (
        <EditDialog
          {...editing}
          roles={roles}
          onDone={(entry) => dispatch({ kind: 'editMany', keys: editing.keys, entry })}
          onClose={() => setEditing(null)}
        />
      )}
    </Stack>
  );
}

/** Acts on several ticked rows: set roles and end, or remove. */
function bulkActions(clear: () => void, { dispatch }: Panel, onEdit: (editing: Editing) => void) {
  return [
    {
      label: words.editMany,
      onRun: (items: readonly { readonly id: string }[]) =>
        onEdit({
          keys: items.map(({ id }) => id),
          title: words.editManyTitle,
          about: words.editManyAbout(items.length),
          start: NO_ROLES,
        }),
    },
    {
      label: words.removeMany,
      isDanger: true,
      onRun: (items: readonly { readonly id: string }[]) => {
        dispatch({ kind: 'editMany', keys: items.map(({ id }) => id), entry: null });
        clear();
      },
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
