import { Group, Text } from '@mantine/core';
import { IconLock } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { labelsOf } from '../access';
import type { RoleInfo } from '../access';
import { Bytes, LinkTo, OrHidden, Time } from '../shared';
import type { Column } from '../shared';
import type { ResourceRow } from './operations';
import { words } from './words';

export const SORTS = ['NAME', 'CREATED_AT', 'UPDATED_AT', 'SIZE'] as const;
type Sort = (typeof SORTS)[number];

type Labels = readonly Pick<RoleInfo, 'role' | 'label'>[];

function Name({ row }: { readonly row: ResourceRow }): ReactNode {
  return (
    <LinkTo to="/resources/$id" params={{ id: row.id }}>
      {row.name}
    </LinkTo>
  );
}

function Lock({ lock }: Pick<ResourceRow, 'lock'>): ReactNode {
  return lock === null ? null : (
    <Group gap={4} wrap="nowrap">
      <IconLock size={16} aria-hidden />
      <Text span size="sm" lineClamp={2}>
        {words.locked(lock.reason)}
      </Text>
    </Group>
  );
}

/** A short text that is not broken. */
function FullText({ text }: { readonly text: string }): ReactNode {
  return (
    <Text span size="sm" style={{ whiteSpace: 'nowrap' }}>
      {text}
    </Text>
  );
}

const rolesText = (row: ResourceRow, labels: Labels): string =>
  labelsOf(row.viewerAccess.effectiveRoles, labels).join(', ') || words.noRoles;

/** The columns; `labels` are the roles of all types with their words. */
export function columns(labels: Labels): readonly Column<ResourceRow, Sort>[] {
  return [
    {
      key: 'name',
      label: words.name,
      sort: 'NAME',
      cell: (row) => <Name row={row} />,
      csv: ({ name }) => name,
    },
    {
      key: 'type',
      label: words.type,
      cell: ({ type }) => <FullText text={type.label} />,
      csv: ({ type }) => type.label,
    },
    {
      key: 'org',
      label: words.org,
      cell: ({ org }) => <OrHidden value={org}>{({ name }) => name}</OrHidden>,
      csv: ({ org }) => org?.slug ?? '',
    },
    {
      key: 'owner',
      label: words.owner,
      cell: ({ owner }) => (owner === null ? words.noOwner : (owner.displayName ?? owner.userName)),
      csv: ({ owner }) => owner?.userName ?? '',
    },
    {
      key: 'roles',
      label: words.myRoles,
      cell: (row) => rolesText(row, labels),
      csv: (row) => rolesText(row, labels),
    },
    {
      key: 'lock',
      label: words.lock,
      cell: ({ lock }) => <Lock lock={lock} />,
      csv: ({ lock }) => lock?.reason ?? '',
    },
    {
      key: 'size',
      label: words.size,
      sort: 'SIZE',
      cell: ({ sizeBytes }) => (
        <Text span size="sm" style={{ whiteSpace: 'nowrap' }}>
          <Bytes value={sizeBytes} />
        </Text>
      ),
      csv: ({ sizeBytes }) => String(sizeBytes),
    },
    {
      key: 'changed',
      label: words.changed,
      sort: 'UPDATED_AT',
      cell: ({ updatedAt }) => <Time value={updatedAt} />,
      csv: ({ updatedAt }) => updatedAt,
    },
  ];
}
