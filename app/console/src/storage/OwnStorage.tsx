import { Stack, Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';
import { useLoad } from '../api';
import { Bytes, Hidden, LinkTo, Loaded, StorageBar, Table, useTable } from '../shared';
import type { Column } from '../shared';
import { StorageQuery } from './operations';
import type { OwnedResource } from './operations';
import { words } from './words';

const SORTS = ['NAME', 'SIZE'] as const;
type Sort = (typeof SORTS)[number];

const COLUMNS: readonly Column<OwnedResource, Sort>[] = [
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
  { key: 'org', label: words.org, cell: ({ org }) => (org === null ? <Hidden /> : org.name) },
  { key: 'size', label: words.size, sort: 'SIZE', cell: ({ sizeBytes }) => <Bytes value={sizeBytes} /> },
];

/** The storage of the viewer with its quota, and the resources that they own by size. */
export function OwnStorage(): ReactNode {
  const table = useTable<Sort>({ sorts: SORTS, sort: 'SIZE', direction: 'DESC' });
  const filter = table.search === null ? null : { search: table.search };
  const load = useLoad(StorageQuery, { ...table.variables, filter });
  return (
    <Loaded load={load}>
      {({ viewer: { user } }) => (
        <Stack>
          <Stack maw={400} gap="xs">
            {user?.storage ? <StorageBar label={words.title} {...user.storage} /> : <Hidden />}
            {user?.storage?.quotaBytes === null ? <Text size="sm">{words.noQuota}</Text> : null}
          </Stack>
          <Text size="sm">{words.intro}</Text>
          <Title order={2} size="h4">
            {words.table}
          </Title>
          <Table<OwnedResource, Sort>
            label={words.table}
            table={table}
            rows={user?.ownedResources ?? null}
            columns={COLUMNS}
            rowId={({ id }) => id}
            rowName={({ name }) => name}
            empty={<Text>{words.none}</Text>}
          />
        </Stack>
      )}
    </Loaded>
  );
}
