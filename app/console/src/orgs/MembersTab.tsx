import { Button, Group, NativeSelect, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { useLoad, useReadAll } from '../api';
import type { ResultOf } from '../api';
import { EditRemoveButtons, Loaded, Table, useTable } from '../shared';
import type { BulkAction, Selected, TableState } from '../shared';
import { BulkMembers } from './BulkMembers';
import type { BulkKind } from './BulkMembers';
import { OwnerText } from './columns';
import { columnsOf } from './memberColumns';
import type { MemberSort } from './memberColumns';
import { AddMember, EditMember, RemoveMember } from './MemberDialogs';
import { rowsOf } from './members';
import type { Level, Org } from './operations';
import { OrgMembersQuery } from './tabOperations';
import type { Member } from './tabOperations';
import { memberWords as words } from './words';

const SORTS = ['USER_NAME', 'LEVEL', 'ADDED_AT', 'EXPIRES_AT'] as const;
const KINDS = ['bulkLevel', 'bulkEnds', 'bulkRemove'] as const;

type Dialog =
  | { readonly kind: 'add' }
  | { readonly kind: 'edit' | 'remove'; readonly member: Member }
  | { readonly kind: 'bulk'; readonly act: BulkKind; readonly items: readonly Selected[] };

interface MembersTabProps {
  readonly org: Org;
  readonly levels: readonly Level[];
}

function filterOf(table: TableState<MemberSort>, levels: readonly Level[]) {
  const level = levels.find((each) => each.level === table.filter('level'));
  return {
    ...(table.search === null ? {} : { search: table.search }),
    ...(level === undefined ? {} : { level: { eq: level.level } }),
  };
}

const pickMembers = ({ org }: ResultOf<typeof OrgMembersQuery>) => rowsOf(org?.members ?? null);

/** The members of an organization: their level, its end, by whom and since when. */
export function MembersTab({ org, levels }: MembersTabProps): ReactNode {
  const table = useTable<MemberSort>({ sorts: SORTS, sort: 'USER_NAME' });
  const filter = filterOf(table, levels);
  const { orderBy } = table.variables;
  const load = useLoad(OrgMembersQuery, { slug: org.slug, ...table.variables, filter });
  const readAll = useReadAll(
    OrgMembersQuery,
    (page) => ({ ...page, slug: org.slug, filter, orderBy }),
    pickMembers,
  );
  const [dialog, setDialog] = useState<Dialog | null>(null);
  const mayManage = org.viewerCan.manageMembers;
  const bulk: readonly BulkAction[] = KINDS.map((act) => ({
    label: words[act],
    isDanger: act === 'bulkRemove',
    onRun: (items) => setDialog({ kind: 'bulk', act, items }),
  }));
  const close = (): void => setDialog(null);
  const edges = load.status === 'ready' ? (load.data.org?.members?.edges ?? []) : [];
  return (
    <Stack>
      <Group justify="space-between">
        <Text size="sm">
          {words.ownerText} <OwnerText user={org.owner} />
        </Text>
        {mayManage ? <Button onClick={() => setDialog({ kind: 'add' })}>{words.add}</Button> : null}
      </Group>
      <Loaded load={load}>
        {({ org: withMembers }) => (
          <Table<Member, MemberSort>
            label={words.table}
            table={table}
            rows={rowsOf(withMembers?.members ?? null)}
            columns={columnsOf(levels)}
            rowId={({ node }) => node.id}
            rowName={({ node }) => node.userName}
            {...(mayManage
              ? {
                  bulk,
                  actions: (member) => (
                    <EditRemoveButtons
                      edit={words.editOf(member.node.userName)}
                      remove={words.removeOf(member.node.userName)}
                      onEdit={() => setDialog({ kind: 'edit', member })}
                      onRemove={() => setDialog({ kind: 'remove', member })}
                    />
                  ),
                }
              : {})}
            filters={<LevelFilter table={table} levels={levels} />}
            readAll={readAll}
            csvName={`${org.slug}-members`}
            empty={<Text>{words.none}</Text>}
            isRefreshing={load.status === 'ready' && load.isRefreshing}
          />
        )}
      </Loaded>
      {dialog === null ? null : <Dialogs {...{ dialog, org, levels, table, edges }} onClose={close} />}
    </Stack>
  );
}

interface LevelFilterProps {
  readonly table: TableState<MemberSort>;
  readonly levels: readonly Level[];
}

function LevelFilter({ table, levels }: LevelFilterProps): ReactNode {
  return (
    <NativeSelect
      aria-label={words.filterLevel}
      data={[
        { value: '', label: words.anyLevel },
        ...levels.map(({ level, label }) => ({ value: level, label })),
      ]}
      value={table.filter('level') ?? ''}
      onChange={(event) => table.setFilter('level', event.currentTarget.value || undefined)}
    />
  );
}

interface DialogsProps extends MembersTabProps {
  readonly dialog: Dialog;
  /** The members as the list has them now: it is read again when somebody else has changed one. */
  readonly edges: readonly Member[];
  readonly table: TableState<MemberSort>;
  readonly onClose: () => void;
}

function Dialogs({ dialog, org, levels, table, edges, onClose }: DialogsProps): ReactNode {
  switch (dialog.kind) {
    case 'add':
      return <AddMember {...{ org, levels, onClose }} />;
    case 'edit':
      return (
        <EditMember
          {...{ org, levels, onClose }}
          member={edges.find(({ node }) => node.id === dialog.member.node.id) ?? dialog.member}
        />
      );
    case 'remove':
      return <RemoveMember {...{ org, onClose }} member={dialog.member} />;
    case 'bulk':
      return (
        <BulkMembers
          {...{ org, levels }}
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
