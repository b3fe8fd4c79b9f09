import { Paper, Stack, Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';
import { labelsOf } from '../../access';
import { useLoad } from '../../api';
import type { ResultOf } from '../../api';
import { EndsText, Hidden, LinkTo, Loaded, Table, useTable } from '../../shared';
import type { Column } from '../../shared';
import { OffBoardGrantsQuery } from './operations';
import { words } from './words';

type UserWithGrants = NonNullable<ResultOf<typeof OffBoardGrantsQuery>['user']>;
type Row = NonNullable<UserWithGrants['grants']>['edges'][number];

const COLUMNS: readonly Column<Row, never>[] = [
  {
    key: 'resource',
    label: words.resource,
    cell: ({ node: { id, name } }) => (
      <LinkTo underline="always" to="/resources/$id" params={{ id }} size="sm">
        {name}
      </LinkTo>
    ),
  },
  {
    key: 'roles',
    label: words.grantedRoles,
    cell: ({ roles, node }) => labelsOf(roles, node.type.roles).join(', ') || words.nothing,
  },
  { key: 'ends', label: words.ends, cell: ({ expiresAt }) => <EndsText value={expiresAt} /> },
];

/** The own entries of a user on resources, and what becomes of them. */
export function Grants({ userName }: { readonly userName: string }): ReactNode {
  const table = useTable({ keeping: 'memory' });
  const { first, after, last, before } = table.variables;
  const load = useLoad(OffBoardGrantsQuery, { userName, first, after, last, before });
  return (
    <Loaded load={load}>
      {({ user }) => (
        <Paper withBorder p="sm" component="section" aria-label={words.entries}>
          <Stack gap="xs">
            <Title order={2} size="h5">
              {user?.grants == null ? words.entries : words.grants(user.grants.totalCount)}
            </Title>
            {user?.grants == null ? (
              <Hidden />
            ) : (
              <>
                <Text size="sm">{words.grantsAbout}</Text>
                <Table
                  label={words.entries}
                  table={table}
                  rows={{ ...user.grants, nodes: user.grants.edges }}
                  isRefreshing={load.status === 'ready' && load.isRefreshing}
                  columns={COLUMNS}
                  rowId={({ node }) => node.id}
                  rowName={({ node }) => node.name}
                  hasSearch={false}
                  empty={<Text size="sm">{words.nothing}</Text>}
                />
              </>
            )}
          </Stack>
        </Paper>
      )}
    </Loaded>
  );
}
