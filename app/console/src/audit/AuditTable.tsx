import { Button, Group, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { Table, Time } from '../shared';
import type { Column, TableProps } from '../shared';
import { actionWords } from './actions';
import { EventDialog } from './EventDialog';
import { mainFirst } from './mainFirst';
import { ObjectLink } from './ObjectLink';
import type { AuditRow, ChangedObject } from './operations';
import { words } from './words';

export type AuditSort = 'CREATED_AT';

const whoOf = ({ actorName, channel }: AuditRow): string =>
  actorName ?? (channel === 'COMMAND' ? words.system : words.anonymous);

const whereOf = ({ channel, address }: AuditRow): string =>
  [words.channels[channel], address].filter((text) => text !== null).join(' · ');

const objectText = ({ objectType, objectName }: ChangedObject): string =>
  `${words.types[objectType]} ${objectName}`;

const COLUMNS: readonly Column<AuditRow, AuditSort>[] = [
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
    csv: ({ action, changes }) =>
      mainFirst(action, changes?.nodes ?? [])
        .map(objectText)
        .join('; '),
  },
  { key: 'where', label: words.where, cell: whereOf, csv: whereOf },
];

/** How many objects a row names; the dialog has all of them. */
const MAX_OBJECTS = 3;

function Objects({ row: { action, changes } }: { readonly row: AuditRow }): ReactNode {
  if (changes === null || changes.totalCount === 0) {
    return words.nothing;
  }
  const first = mainFirst(action, changes.nodes).slice(0, MAX_OBJECTS);
  const more = changes.totalCount - first.length;
  return (
    <Stack gap={0}>
      {first.map((object) => (
        <ObjectLink key={object.objectId} object={object} />
      ))}
      {more > 0 ? <Text size="sm">{words.more(more)}</Text> : null}
    </Stack>
  );
}

type AuditTableProps = Pick<
  TableProps<AuditRow, AuditSort>,
  'label' | 'table' | 'rows' | 'filters' | 'readAll' | 'csvName' | 'isRefreshing' | 'empty'
>;

/** Changes of the audit log, each with what it changed and a dialog with its values. */
export function AuditTable(props: AuditTableProps): ReactNode {
  const [opened, setOpened] = useState<AuditRow | null>(null);
  return (
    <>
      <Table<AuditRow, AuditSort>
        {...props}
        columns={COLUMNS}
        rowId={({ id }) => id}
        rowName={({ action }) => actionWords(action)}
        hasSearch={false}
        actions={(row) => <Details row={row} onShow={setOpened} />}
      />
      {opened === null ? null : <EventDialog row={opened} onClose={() => setOpened(null)} />}
    </>
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
