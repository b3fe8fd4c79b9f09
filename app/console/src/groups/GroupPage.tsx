import { Button, Group, Stack, Text } from '@mantine/core';
import { useParams } from '@tanstack/react-router';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { useLoad, useReadAll } from '../api';
import type { ResultOf } from '../api';
import { Loaded, Missing, Page, Time, useTable, joined } from '../shared';
import type { TableState } from '../shared';
import { AskForGroup } from './AskForGroup';
import { DeleteGroup } from './DeleteGroup';
import { EditGroup } from './GroupForms';
import { MemberList } from './MemberList';
import { rowsOf } from './members';
import { SORTS } from './memberColumns';
import type { MemberSort } from './memberColumns';
import { GroupQuery } from './operations';
import type { GroupData } from './operations';
import { words } from './words';

function filterOf(table: TableState<MemberSort>) {
  return {
    ...(table.search === null ? {} : { search: table.search }),
    ...(table.filter('managers') === 'yes' ? { isManager: true } : {}),
  };
}

const pickMembers = ({ group }: ResultOf<typeof GroupQuery>) => rowsOf(group?.members ?? null);

/** One group with its members. */
export function GroupPage(): ReactNode {
  const { slug = '' } = useParams({ strict: false });
  const table = useTable<MemberSort>({ sorts: SORTS, sort: 'USER_NAME' });
  const filter = filterOf(table);
  const { orderBy } = table.variables;
  const load = useLoad(GroupQuery, { slug, ...table.variables, filter });
  const readAll = useReadAll(GroupQuery, (page) => ({ ...page, slug, filter, orderBy }), pickMembers);
  const [dialog, setDialog] = useState<'edit' | 'delete' | null>(null);
  const group = load.status === 'ready' ? load.data.group : null;
  const close = (): void => setDialog(null);
  return (
    <Page
      title={group?.displayName ?? slug}
      actions={group === null ? null : <Acts group={group} onOpen={setDialog} />}
    >
      <Loaded load={load}>
        {({ group: loaded, registry }) =>
          loaded === null ? (
            <Missing text={words.missing} />
          ) : (
            <>
              <Facts group={loaded} />
              {loaded.viewerCan.manageMembers ? null : <AskForGroup contact={registry.groupContact} />}
              <MemberList
                group={loaded}
                table={table}
                readAll={readAll}
                isRefreshing={load.status === 'ready' && load.isRefreshing}
              />
            </>
          )
        }
      </Loaded>
      {dialog === 'edit' && group !== null ? (
        <EditGroup key={group.id} group={group} onClose={close} />
      ) : null}
      {dialog === 'delete' && group !== null ? <DeleteGroup group={group} onClose={close} /> : null}
    </Page>
  );
}

interface ActsProps {
  readonly group: GroupData;
  readonly onOpen: (dialog: 'edit' | 'delete') => void;
}

function Acts({ group, onOpen }: ActsProps): ReactNode {
  return (
    <>
      {group.viewerCan.update ? (
        <Button variant="default" onClick={() => onOpen('edit')}>
          {words.edit}
        </Button>
      ) : null}
      {group.viewerCan.delete ? (
        <Button variant="default" onClick={() => onOpen('delete')}>
          {words.delete}
        </Button>
      ) : null}
    </>
  );
}

function Facts({ group }: { readonly group: GroupData }): ReactNode {
  const { slug, description, memberCount, viewerIsMember, viewerCan, membersSeenBy, managers, createdAt } =
    group;
  const isManager = viewerIsMember && viewerCan.manageMembers;
  const names = managers === null ? null : joined(managers.nodes.map(({ userName }) => userName));
  return (
    <Stack gap="xs" component="section" aria-label={words.facts}>
      {description === '' ? null : <Text style={{ whiteSpace: 'pre-wrap' }}>{description}</Text>}
      <Group gap="md">
        <Fact label={words.slug}>{slug}</Fact>
        <Fact label={words.members}>{memberCount.toLocaleString('en')}</Fact>
        <Fact label={words.membership}>
          {viewerIsMember ? (isManager ? words.isManager : words.isMember) : words.isNoMember}
        </Fact>
        <Fact label={words.seenBy}>
          {membersSeenBy === 'MEMBERS' ? words.seenByMembers : words.seenBySignedIn}
        </Fact>
        {names === null ? null : (
          <Fact label={words.managers}>{names === '' ? words.noManagers : names}</Fact>
        )}
        <Fact label={words.made}>
          <Time value={createdAt} />
        </Fact>
      </Group>
    </Stack>
  );
}

function Fact({ label, children }: { readonly label: string; readonly children: ReactNode }): ReactNode {
  return (
    <Text size="sm" component="div">
      {label}: <bdi>{children}</bdi>
    </Text>
  );
}
