import { useCallback } from 'react';
import type { ReactNode } from 'react';
import { useLoad, useReadAll } from '../api';
import type { ResultOf } from '../api';
import { Loaded, Page, useTable } from '../shared';
import { AuditFilters } from './AuditFilters';
import { AuditTable } from './AuditTable';
import type { AuditSort } from './AuditTable';
import { filterOf } from './filter';
import { AuditQuery } from './operations';
import { words } from './words';

const SORTS = ['CREATED_AT'] as const;

const pickRows = ({ auditEvents }: ResultOf<typeof AuditQuery>) => auditEvents;

/** Who changed what, when and from where. */
export function AuditPage(): ReactNode {
  const table = useTable<AuditSort>({ sorts: SORTS, sort: 'CREATED_AT', direction: 'DESC' });
  const filter = filterOf(table.filter);
  const { orderBy } = table.variables;
  const load = useLoad(AuditQuery, { ...table.variables, filter });
  const key = JSON.stringify([filter, orderBy]);
  const pageOf = useCallback(
    (page: { first: number; after: string | null }) => ({ ...page, filter, orderBy }),
    // eslint-disable-next-line react-hooks/exhaustive-deps -- the key stands for both
    [key],
  );
  const readAll = useReadAll(AuditQuery, pageOf, pickRows);
  return (
    <Page title={words.title}>
      <Loaded load={load}>
        {({ auditEvents }) => (
          <AuditTable
            label={words.table}
            table={table}
            rows={auditEvents}
            filters={<AuditFilters table={table} />}
            readAll={readAll}
            csvName="audit"
            isRefreshing={load.status === 'ready' && load.isRefreshing}
          />
        )}
      </Loaded>
    </Page>
  );
}
