import { Button, Group, NativeSelect, Stack, Text, Title } from '@mantine/core';
import { useState } from 'react';
import type { ReactNode } from 'react';
import type { ReadAll } from '../api';
import { EditRemoveButtons, Table } from '../shared';
import type { BulkAction, Selected, TableState } from '../shared';
import { AddMembers } from './AddMembers';
import { BulkMembers } from './BulkMembers';
import type { BulkKind } from './BulkMembers';
import { COLUMNS } from './memberColumns';
import type { MemberSort } from './memberColumns';
import { EditMember, RemoveMember } from './MemberDialogs';
import { rowsOf } from './members';
import type { GroupData, Member } from './operations';
import { memberWords as words } from './words';

const KINDS = ['bulkEnds', 'bulkManager', 'bulkRemove'] as const;

type Dialog =
  | { readonly kind: 'add' }
  | { readonly kind: 'edit' | 'remove'; readonly member: Member }
  | { readonly kind: 'bulk'; readonly act: BulkKind; readonly items: readonly Selected[] };

interface MemberListProps {
  readonly group: GroupData;
  readonly table: TableState<MemberSort>;
  readonly readAll: ReadAll<Member>;
  readonly isRefreshing: boolean;
}

/** The members of a group, for those who may see them. */
export function MemberList({ group, table, readAll, isRefreshing }: MemberListProps): ReactNode {
  const [dialog, setDialog] = useState<Dialog | null>(null);
  const { members, viewerCan } = group;
  const mayManage = viewerCan.manageMembers;
  const bulk: readonly BulkAction[] = KINDS.map((act) => ({
    label: words[act],
    isDanger: act === 'bulkRemove',
    onRun: (items) => setDialog({ kind: 'bulk', act, items }),
  }));
  return (
    <Stack component="section" aria-label={words.table}>
      <Group justify="space-between">
        <Title order={2} size="h4">
          {words.table}
        </Title>
        {mayManage ? <Button onClick={() => setDialog({ kind: 'add' })}>{words.add}</Button> : null}
      </Group>
      {members === null ? (
        <Text>{words.hidden}</Text>
      ) : (
        <Table<Member, MemberSort>
          label={words.table}
          table={table}
          rows={rowsOf(members)}
          readAll={readAll}
          csvName={`${group.slug}-members`}
          columns={COLUMNS}
          rowId={({ node }) => node.id}
          rowName={({ node }) => node.userName}
          {...(mayManage
            ? {
                bulk,
                actions: (member) => (
                  <EditRemoveButtons
                    edit={words.edit(member.node.userName)}
                    remove={words.remove(member.node.userName)}
                    onEdit={() => setDialog({ kind: 'edit', member })}
                    onRemove={() => setDialog({ kind: 'remove', member })}
                  />
                ),
              }
            : {})}
          filters={<ManagerFilter table={table} />}
          empty={<Text>{words.none}</Text>}
          isRefreshing={isRefreshing}
        />
      )}
      {dialog === null ? null : <Dialogs {...{ dialog, group, table }} onClose={() => setDialog(null)} />}
    </Stack>
  );
}

function ManagerFilter({ table }: { readonly table: TableState<MemberSort> }): ReactNode {
  return (
    <NativeSelect
      aria-label={words.filter}
      data={[
        { value: '', label: words.everybody },
        { value: 'yes', label: words.onlyManagers },
      ]}
      value={table.filter('managers') ?? ''}
      onChange={(event) => table.setFilter('managers', event.currentTarget.value || undefined)}
    />
  );
}

interface DialogsProps {
  readonly dialog: Dialog;
  readonly group: GroupData;
  readonly table: TableState<MemberSort>;
  readonly onClose: () => void;
}

/** Return a member as the list has it now, which is read again when somebody else has changed it. */
function latest({ members }: GroupData, member: Member): Member {
  return members?.edges.find(({ node }) => node.id === member.node.id) ?? member;
}

function Dialogs({ dialog, group, table, onClose }: DialogsProps): ReactNode {
  switch (dialog.kind) {
    case 'add':
      return <AddMembers {...{ group, onClose }} />;
    case 'edit':
      return <EditMember {...{ group, onClose }} member={latest(group, dialog.member)} />;
    case 'remove':
      return <RemoveMember {...{ group, onClose }} member={dialog.member} />;
    case 'bulk':
      return (
        <BulkMembers
          group={group}
          kind={dialog.act}
          items={dialog.items}
          onClose={() => {
            table.selection.clear();
            onClose();
          }}
        />
      );
  }
}
