import { Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { useLoad, useViewer } from '../../api';
import type { ResultOf } from '../../api';
import { Loaded, Table, Time, useTable } from '../../shared';
import type { Column } from '../../shared';
import { UserAuditQuery } from './access';
import type { UserDetails } from './operations';
import { auditWords as words } from './words';

type Row = NonNullable<ResultOf<typeof UserAuditQuery>['auditEvents']>['nodes'][number];

/** Return the name of a mutation as words: `createUser` is "Create user". */
function actionWords(action: string): string {
  const text = action.replaceAll(/([a-z])([A-Z])/g, '$1 $2').toLowerCase();
  return text.charAt(0).toUpperCase() + text.slice(1);
}

const COLUMNS: readonly Column<Row, never>[] = [
  { key: 'when', label: words.when, cell: ({ createdAt }) => <Time value={createdAt} /> },
  { key: 'who', label: words.who, cell: ({ actorName }) => actorName ?? words.system },
  { key: 'what', label: words.what, cell: ({ action }) => actionWords(action) },
];

/** The changes of a user in the audit log. */
export function AuditTab({ user }: { readonly user: UserDetails }): ReactNode {
  const mayRead = useViewer()?.can.seeAuditEvents ?? false;
  const table = useTable();
  const { first, after, last, before } = table.variables;
  const load = useLoad(UserAuditQuery, { id: user.id, first, after, last, before }, { isPaused: !mayRead });
  if (!mayRead) {
    return <Text>{words.needs}</Text>;
  }
  return (
    <Loaded load={load}>
      {({ auditEvents }) => (
        <Table<Row, never>
          label={words.table}
          table={table}
          rows={auditEvents}
          columns={COLUMNS}
          rowId={({ id }) => id}
          rowName={({ action }) => actionWords(action)}
          hasSearch={false}
          empty={<Text>{words.none}</Text>}
        />
      )}
    </Loaded>
  );
}
