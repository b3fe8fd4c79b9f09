import { Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { useLoad, useViewer } from '../../api';
import { AuditQuery, AuditTable } from '../../audit';
import type { AuditSort } from '../../audit';
import { Loaded, useTable } from '../../shared';
import type { UserDetails } from './operations';
import { auditWords as words } from './words';

/** The changes of a user in the audit log. */
export function AuditTab({ user }: { readonly user: UserDetails }): ReactNode {
  const mayRead = useViewer()?.can.seeAuditEvents ?? false;
  const table = useTable<AuditSort>({ sorts: ['CREATED_AT'], sort: 'CREATED_AT', direction: 'DESC' });
  const filter = { objectId: user.id };
  const load = useLoad(AuditQuery, { ...table.variables, filter }, { isPaused: !mayRead });
  if (!mayRead) {
    return <Text>{words.needs}</Text>;
  }
  return (
    <Loaded load={load}>
      {({ auditEvents }) => (
        <AuditTable
          label={words.table}
          table={table}
          rows={auditEvents}
          empty={<Text>{words.none}</Text>}
          isRefreshing={load.status === 'ready' && load.isRefreshing}
        />
      )}
    </Loaded>
  );
}
