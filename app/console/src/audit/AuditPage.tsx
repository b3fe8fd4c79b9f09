import { Button, Group, Stack, Text } from '@mantine/core';
import { useCallback, useState } from 'react';
import type { ReactNode } from 'react';
import { useLoad, useReadAll } from '../api';
import type { ResultOf } from '../api';
import { Loaded, Page, Table, Time, useTable } from '../shared';
import type { Column } from '../shared';
import { actionWords } from './actions';
import { AuditFilters } from './AuditFilters';
import { EventDialog } from './EventDialog';
import { filterOf } from './filter';
import { ObjectLink } from './ObjectLink';
import { AuditQuery } from './operations';
import type { AuditRow, ChangedObject } from './operations';
import { words } from './words';

type Sort = 'CREATED_AT';
const SORTS = ['CREATED_AT'] as const;

const whoOf = ({ actorName, channel }: AuditRow): string =>
  actorName ?? (channel === 'COMMAND' ? words.system : words.anonymous);

const whereOf = ({ channel, address }: AuditRow): string =>
  [words.channels[channel], address].filter((text) => text !== null).join(' · ');

const objectText = ({ objectType, objectName }: ChangedObject): string =>
  `${words.types[objectType]} ${objectName}`;

const COLUMNS: readonly Column<AuditRow, Sort>[] = [
  {
    key: 'when',
    label: words.when,
    sort: 'CREATED_AT',
    cell: ({ createdAt }) => <Time value={createdAt} />,
    csv: ({ createdAt }) => createdAt,
  },
  { key: 'who', label: words.who, cell: whoOf, csv: whoOf },
  {
    key: 'what',
    label: words.what,
    cell: ({ action }) => actionWords(action),
    csv: ({ action }) => action,
  },
  {
    key: 'objects',
    label: words.objects,
    cell: (row) => <Objects row={row} />,
    csv: ({ changes }) => (changes?.nodes ?? []).map(objectText).join('; '),
  },
  { key: 'where', label: words.where, cell: whereOf, csv: whereOf },
];

function Objects({ row: { changes } }: { readonly row: AuditRow }): ReactNode {
  if (changes === null || changes.totalCount === 0) {
    return words.nothing;
  }
  const more = changes.totalCount - changes.nodes.length;
  return (
    <Stack gap={0}>
      {changes.nodes.map((object) => (
        <ObjectLink key={object.objectId} object={object} />
      ))}
      {more > 0 ? <Text size="sm">{words.more(more)}</Text> : null}
    </Stack>
  );
}

const pickRows = ({ auditEvents }: ResultOf<typeof AuditQuery>) => auditEvents;

/** Who changed what, when and from where. */
export function AuditPage(): ReactNode {
  const table = useTable<Sort>({ sorts: SORTS, sort: 'CREATED_AT', direction: 'DESC' });
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
  const [shown, setShown] = useState<AuditRow | null>(null);
  return (
    <Page title={words.title}>
      <Loaded load={load}>
        {({ auditEvents }) => (
          <Table<AuditRow, Sort>
            label={words.table}
            table={table}
            rows={auditEvents}
            columns={COLUMNS}
            rowId={({ id }) => id}
            rowName={({ action }) => actionWords(action)}
            hasSearch={false}
            filters={<AuditFilters table={table} />}
            actions={(row) => <Details row={row} onShow={setShown} />}
            readAll={readAll}
            csvName="audit"
            isRefreshing={load.status === 'ready' && load.isRefreshing}
          />
        )}
      </Loaded>
      {shown === null ? null : <EventDialog row={shown} onClose={() => setShown(null)} />}
    </Page>
  );
}

interface DetailsProps {
  readonly row: AuditRow;
  readonly onShow: (row: AuditRow) => void;
}

function Details({ row, onShow }: DetailsProps): ReactNode {
  return (
    <Group justify="flex-end">
      <Button
        size="xs"
        variant="default"
        aria-label={words.detailsOf(actionWords(row.action), whoOf(row))}
        onClick={() => onShow(row)}
      >
        {words.details}
      </Button>
    </Group>
  );
}
