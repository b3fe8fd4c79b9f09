import { Button, NativeSelect, Text } from '@mantine/core';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { useLoad, useViewer } from '../api';
import { LinkTo, Loaded, Page, Table, useTable } from '../shared';
import type { Column, TableState } from '../shared';
import { AskForGroup } from './AskForGroup';
import { CreateGroup } from './GroupForms';
import { GroupsQuery } from './operations';
import type { GroupRow } from './operations';
import { words } from './words';

type Sort = 'DISPLAY_NAME' | 'CREATED_AT';
const SORTS = ['DISPLAY_NAME', 'CREATED_AT'] as const;

function membershipOf({ viewerIsMember, viewerCan }: GroupRow): string {
  const text = viewerIsMember ? words.isMember : words.isNoMember;
  return viewerIsMember && viewerCan.manageMembers ? `${text}, ${words.isManager.toLowerCase()}` : text;
}

const COLUMNS: readonly Column<GroupRow, Sort>[] = [
  {
    key: 'name',
    label: words.name,
    sort: 'DISPLAY_NAME',
    cell: ({ slug, displayName }) => (
      <LinkTo to="/groups/$slug" params={{ slug }}>
        {displayName}
      </LinkTo>
    ),
  },
  { key: 'description', label: words.description, cell: ({ description }) => description },
  { key: 'members', label: words.members, cell: ({ memberCount }) => memberCount.toLocaleString('en') },
  { key: 'membership', label: words.membership, cell: membershipOf },
];

function filterOf(table: TableState<Sort>) {
  const belongs = table.filter('membership');
  return {
    ...(table.search === null ? {} : { search: table.search }),
    ...(belongs === 'mine' || belongs === 'others' ? { viewerBelongs: belongs === 'mine' } : {}),
  };
}

/** The groups of the registry. Everybody signed in sees them. */
export function GroupsPage(): ReactNode {
  const table = useTable<Sort>({ sorts: SORTS, sort: 'DISPLAY_NAME' });
  const load = useLoad(GroupsQuery, { ...table.variables, filter: filterOf(table) });
  const [isCreating, setIsCreating] = useState(false);
  const mayCreate = useViewer()?.can.createGroups ?? false;
  return (
    <Page
      title={words.title}
      actions={mayCreate ? <Button onClick={() => setIsCreating(true)}>{words.create}</Button> : null}
    >
      <Text size="sm">{words.intro}</Text>
      <Loaded load={load}>
        {({ groups, registry }) => (
          <>
            {mayCreate ? null : <AskForGroup contact={registry.groupContact} />}
            <Table<GroupRow, Sort>
              label={words.table}
              table={table}
              rows={groups}
              columns={COLUMNS}
              rowId={({ id }) => id}
              rowName={({ displayName }) => displayName}
              filters={<MembershipFilter table={table} />}
              empty={<Text>{words.none}</Text>}
              isRefreshing={load.status === 'ready' && load.isRefreshing}
            />
          </>
        )}
      </Loaded>
      {isCreating ? <CreateGroup onClose={() => setIsCreating(false)} /> : null}
    </Page>
  );
}

function MembershipFilter({ table }: { readonly table: TableState<Sort> }): ReactNode {
  return (
    <NativeSelect
      aria-label={words.filter}
      data={[
        { value: '', label: words.all },
        { value: 'mine', label: words.mine },
        { value: 'others', label: words.others },
      ]}
      value={table.filter('membership') ?? ''}
      onChange={(event) => table.setFilter('membership', event.currentTarget.value || undefined)}
    />
  );
}
