import { Button, Group, NativeSelect, Stack, Text } from '@mantine/core';
import { IconLock } from '@tabler/icons-react';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { useLoad } from '../api';
import { CreateResourceIn } from '../resources';
import { Bytes, LinkTo, Loaded, Table, Time, useTable } from '../shared';
import type { Column, TableState } from '../shared';
import type { Org } from './operations';
import { OrgResourcesQuery } from './tabOperations';
import type { OrgResource } from './tabOperations';
import { resourceWords as words } from './words';

type Sort = 'NAME' | 'UPDATED_AT' | 'SIZE';
const SORTS = ['NAME', 'UPDATED_AT', 'SIZE'] as const;

const COLUMNS: readonly Column<OrgResource, Sort>[] = [
  {
    key: 'name',
    label: words.name,
    sort: 'NAME',
    cell: ({ id, name }) => (
      <LinkTo to="/resources/$id" params={{ id }}>
        {name}
      </LinkTo>
    ),
  },
  { key: 'type', label: words.type, cell: ({ type }) => type.label },
  { key: 'owner', label: words.owner, cell: ({ owner }) => owner?.displayName ?? owner?.userName ?? '' },
  {
    key: 'lock',
    label: words.lock,
    cell: ({ lock }) => (lock === null ? null : <LockText reason={lock.reason} />),
  },
  { key: 'size', label: words.size, sort: 'SIZE', cell: ({ sizeBytes }) => <Bytes value={sizeBytes} /> },
  {
    key: 'changed',
    label: words.changed,
    sort: 'UPDATED_AT',
    cell: ({ updatedAt }) => <Time value={updatedAt} />,
  },
];

function LockText({ reason }: { readonly reason: string | null }): ReactNode {
  return (
    <Text span size="sm">
      <IconLock size={14} aria-hidden /> {words.locked(reason ?? '')}
    </Text>
  );
}

function filterOf(table: TableState<Sort>) {
  const lock = table.filter('lock');
  return {
    ...(table.search === null ? {} : { search: table.search }),
    ...(lock === 'yes' || lock === 'no' ? { isLocked: lock === 'yes' } : {}),
  };
}

/** The resources of an organization that the viewer sees. */
export function ResourcesTab({ org: { slug, viewerCan } }: { readonly org: Org }): ReactNode {
  const [isCreating, setIsCreating] = useState(false);
  const table = useTable<Sort>({ sorts: SORTS, sort: 'NAME' });
  const load = useLoad(OrgResourcesQuery, { slug, ...table.variables, filter: filterOf(table) });
  return (
    <Stack>
      {viewerCan.createResources ? (
        <Group>
          <Button onClick={() => setIsCreating(true)}>{words.create}</Button>
        </Group>
      ) : null}
      <Loaded load={load}>
        {({ org }) => (
          <Table<OrgResource, Sort>
            label={words.table}
            table={table}
            rows={org?.resources ?? null}
            columns={COLUMNS}
            rowId={({ id }) => id}
            rowName={({ name }) => name}
            filters={
              <NativeSelect
                aria-label={words.filterLock}
                data={[
                  { value: '', label: words.any },
                  { value: 'yes', label: words.isLocked },
                  { value: 'no', label: words.isUnlocked },
                ]}
                value={table.filter('lock') ?? ''}
                onChange={(event) => table.setFilter('lock', event.currentTarget.value || undefined)}
              />
            }
            empty={<Text>{words.none}</Text>}
            isRefreshing={load.status === 'ready' && load.isRefreshing}
          />
        )}
      </Loaded>
      {isCreating ? <CreateResourceIn org={slug} onClose={() => setIsCreating(false)} /> : null}
    </Stack>
  );
}
