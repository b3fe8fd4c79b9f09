import { Text } from '@mantine/core';
import { useCallback } from 'react';
import type { ReactNode } from 'react';
import { useLoad, useReadAll, useViewer } from '../api';
import type { ResultOf } from '../api';
import { Loaded, Page, Table, useTable } from '../shared';
import { COLUMNS, OWNER } from './columns';
import { TokensQuery } from './operations';
import type { TokenRow } from './operations';
import { RevokeToken } from './RevokeToken';
import { words } from './words';

const ALL_COLUMNS = [...COLUMNS.slice(0, 1), OWNER, ...COLUMNS.slice(1)];
const pick = ({ apiTokens }: ResultOf<typeof TokensQuery>) => apiTokens;

/** The API tokens of everybody. */
export function TokensPage(): ReactNode {
  const table = useTable();
  const { first, after, last, before } = table.variables;
  const load = useLoad(TokensQuery, { first, after, last, before });
  const pageOf = useCallback((page: { first: number; after: string | null }) => page, []);
  const readAll = useReadAll(TokensQuery, pageOf, pick);
  const mayRevoke = useViewer()?.permissions.includes('USERS_MANAGE') ?? false;
  return (
    <Page title={words.title}>
      <Text size="sm">{words.intro}</Text>
      <Loaded load={load}>
        {({ apiTokens }) => (
          <Table<TokenRow, never>
            label={words.table}
            table={table}
            rows={apiTokens}
            columns={ALL_COLUMNS}
            rowId={({ id }) => id}
            rowName={({ name }) => name}
            hasSearch={false}
            readAll={readAll}
            csvName="api-tokens"
            empty={<Text>{words.none}</Text>}
            {...(mayRevoke ? { actions: (token: TokenRow) => <RevokeToken token={token} /> } : {})}
          />
        )}
      </Loaded>
    </Page>
  );
}
