import { Button, List, Modal, NativeSelect, Text } from '@mantine/core';
import { useParams } from '@tanstack/react-router';
import { useCallback, useState } from 'react';
import type { ReactNode } from 'react';
import { useLoad, useReadAll } from '../api';
import { ResourceFrame } from '../resources';
import { Loaded, Missing, Page, Table, sharedWords, useTable } from '../shared';
import { CheckPerson } from './CheckPerson';
import type { RoleInfo } from './fragments';
import { PeopleCountQuery, PeopleQuery, WhyQuery } from './peopleOperations';
import type { AccessSubject } from './peopleOperations';
import { peopleWords as words } from './peopleWords';
import { labelsOf } from './roles';
import { isOrgOwner, sourceText } from './sources';

const ROLES = [
  'METADATA_READ',
  'METADATA_WRITE',
  'DATASET_DATA_READ',
  'DATASET_DATA_WRITE',
  'ADMIN',
] as const;

const nameOf = ({ kind, user, group }: AccessSubject): string =>
  user === null ? (group?.displayName ?? words.sets[kind]) : (user.displayName ?? user.userName);

const idOf = ({ kind, user, group }: AccessSubject): string => user?.id ?? group?.id ?? kind;

function counted<Page extends object>(page: Page | null, totalCount: number | null) {
  return page === null ? null : { ...page, totalCount };
}

const columns = (roles: readonly RoleInfo[]) =>
  [
    {
      key: 'who',
      label: words.subject,
      cell: nameOf,
      csv: (row: AccessSubject) => row.user?.userName ?? nameOf(row),
    },
    {
      key: 'kind',
      label: words.kind,
      cell: ({ kind, memberCount }: AccessSubject) =>
        memberCount === null ? words.kinds[kind] : `${words.kinds[kind]}, ${words.set(memberCount)}`,
      csv: ({ kind }: AccessSubject) => words.kinds[kind],
    },
    {
      key: 'roles',
      label: words.roles,
      cell: (row: AccessSubject) => labelsOf(row.roles, roles).join(', '),
      csv: (row: AccessSubject) => labelsOf(row.roles, roles).join(', '),
    },
  ] as const;

/** Who has a role on a resource, why, and the question about one person. */
export function PeoplePage(): ReactNode {
  const { id } = useParams({ from: '/resources/$id/people' });
  const table = useTable();
  const role = ROLES.find((each) => each === table.filter('role')) ?? null;
  const [opened, setOpened] = useState<AccessSubject | null>(null);
  const { first, after, last, before } = table.variables;
  const load = useLoad(PeopleQuery, { id, first, after, last, before, role });
  const counting = useLoad(PeopleCountQuery, { id, role }, { isPaused: load.status !== 'ready' });
  const isCounted = counting.status === 'ready' && !counting.isRefreshing;
  const totalCount = isCounted ? (counting.data.resource?.accessSubjects?.totalCount ?? null) : null;
  const readAll = useReadAll(
    PeopleQuery,
    useCallback((page) => ({ ...page, id, role }), [id, role]),
    useCallback((data) => counted(data.resource?.accessSubjects ?? null, totalCount), [totalCount]),
  );
  return (
    <Loaded load={load}>
      {({ resource }) =>
        resource === null ? (
          <Page title={words.label}>
            <Missing />
          </Page>
        ) : (
          <ResourceFrame resource={resource}>
            {resource.accessSubjects === null ? (
              <Text>{words.notAllowed}</Text>
            ) : (
              <>
                <CheckPerson resource={id} roles={resource.type.roles} />
                <Text size="sm" c="dimmed">
                  {words.about}
                </Text>
                <Table
                  label={words.label}
                  table={table}
                  rows={counted(resource.accessSubjects, totalCount)}
                  isRefreshing={load.status === 'ready' && load.isRefreshing}
                  rowId={idOf}
                  rowName={nameOf}
                  hasSearch={false}
                  columns={columns(resource.type.roles)}
                  filters={
                    <NativeSelect
                      aria-label={words.role}
                      data={[
                        { value: '', label: words.anyRole },
                        ...resource.type.roles.map(({ role: value, label }) => ({ value, label })),
                      ]}
                      value={role ?? ''}
                      onChange={(event) => table.setFilter('role', event.currentTarget.value || undefined)}
                    />
                  }
                  actions={(row) => <WhyButton row={row} onOpen={setOpened} />}
                  readAll={readAll}
                  csvName="people"
                  empty={<Text>{words.none}</Text>}
                />
                {opened?.user == null ? null : (
                  <WhyDialog
                    resource={id}
                    userName={opened.user.userName}
                    name={nameOf(opened)}
                    roles={resource.type.roles}
                    onClose={() => setOpened(null)}
                  />
                )}
              </>
            )}
          </ResourceFrame>
        )
      }
    </Loaded>
  );
}

interface WhyButtonProps {
  readonly row: AccessSubject;
  readonly onOpen: (row: AccessSubject) => void;
}

function WhyButton({ row, onOpen }: WhyButtonProps): ReactNode {
  return row.user === null ? null : (
    <Button
      size="compact-sm"
      variant="default"
      aria-label={words.whyOf(nameOf(row))}
      onClick={() => onOpen(row)}
    >
      {words.why}
    </Button>
  );
}

interface WhyDialogProps {
  readonly resource: string;
  readonly userName: string;
  readonly name: string;
  readonly roles: readonly RoleInfo[];
  readonly onClose: () => void;
}

/** Each way of a user to roles on the resource. */
function WhyDialog({ resource, userName, name, roles, onClose }: WhyDialogProps): ReactNode {
  const load = useLoad(WhyQuery, { id: resource, userName });
  return (
    <Modal opened onClose={onClose} title={words.whyOf(name)}>
      <Loaded load={load}>
        {({ explainAccess, orgLevels, resource: owned, user }) =>
          explainAccess === null || explainAccess.length === 0 ? (
            <Text>{words.noReason}</Text>
          ) : (
            <List>
              {explainAccess.map((source, index) => (
                <List.Item key={index}>
                  {labelsOf(source.grantedRoles, roles).join(', ') || sharedWords.none}{' '}
                  {sourceText(source, { orgLevels, isOrgOwner: isOrgOwner(owned, user) })}
                </List.Item>
              ))}
            </List>
          )
        }
      </Loaded>
    </Modal>
  );
}
