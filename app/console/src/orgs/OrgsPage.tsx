import { Button, SimpleGrid, Stack, Text, Title } from '@mantine/core';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { useLoad, useViewer } from '../api';
import { Loaded, Page, Table, useTable } from '../shared';
import type { Column, Rows, TableState } from '../shared';
import { CreateOrg } from './CreateOrg';
import { OwnerText, orgColumn } from './columns';
import { OrgsQuery } from './operations';
import type { OrgRow } from './operations';
import { words } from './words';

type Sort = 'NAME' | 'CREATED_AT';
const SORTS = ['NAME', 'CREATED_AT'] as const;

/** What chooses the organizations of a list. */
interface Belongs {
  readonly viewerBelongs?: boolean;
  readonly isPublic?: boolean;
}

const MINE: Belongs = { viewerBelongs: true };
const PUBLIC: Belongs = { isPublic: true };
const OTHERS: Belongs = { viewerBelongs: false, isPublic: false };

const filterOf = (table: TableState<Sort>, belongs: Belongs) =>
  table.search === null ? belongs : { ...belongs, search: table.search };

/** The three lists of the page, each with a place of its own in the address. */
function useOrgs(isSignedIn: boolean, seesOthers: boolean) {
  const mine = useTable<Sort>({ name: 'mine', sorts: SORTS, sort: 'NAME' });
  const open = useTable<Sort>({ name: 'public', sorts: SORTS, sort: 'NAME' });
  const others = useTable<Sort>({ name: 'others', sorts: SORTS, sort: 'NAME' });
  const load = useLoad(OrgsQuery, {
    isSignedIn,
    seesOthers,
    mineFirst: mine.variables.first,
    mineAfter: mine.variables.after,
    mineLast: mine.variables.last,
    mineBefore: mine.variables.before,
    mineOrder: mine.variables.orderBy,
    mineFilter: filterOf(mine, MINE),
    publicFirst: open.variables.first,
    publicAfter: open.variables.after,
    publicLast: open.variables.last,
    publicBefore: open.variables.before,
    publicOrder: open.variables.orderBy,
    publicFilter: filterOf(open, PUBLIC),
    othersFirst: others.variables.first,
    othersAfter: others.variables.after,
    othersLast: others.variables.last,
    othersBefore: others.variables.before,
    othersOrder: others.variables.orderBy,
    othersFilter: filterOf(others, OTHERS),
  });
  return { mine, open, others, load };
}

/** The viewer's organizations and the public ones, beside each other. */
export function OrgsPage(): ReactNode {
  const viewer = useViewer();
  const isSignedIn = viewer !== null && viewer.user !== null;
  const seesOthers = viewer?.can.seeAllOrgsAndResources ?? false;
  const { mine, open, others, load } = useOrgs(isSignedIn, seesOthers);
  const [isCreating, setIsCreating] = useState(false);
  const mayCreate = viewer?.can.createOrgs ?? false;
  return (
    <Page
      title={words.title}
      actions={mayCreate ? <Button onClick={() => setIsCreating(true)}>{words.create}</Button> : null}
    >
      <Loaded load={load}>
        {(data) => {
          const labels = new Map(data.orgLevels.map(({ level, label }) => [level, label]));
          const levelOf = (org: OrgRow): string =>
            org.viewerIsOwner
              ? words.ownerLevel
              : org.viewerLevel === null
                ? ''
                : (labels.get(org.viewerLevel) ?? '');
          const level = { key: 'level', label: words.level, cell: levelOf } as const;
          return (
            <SimpleGrid cols={{ base: 1, lg: 2 }} spacing="xl">
              <List
                title={words.mine}
                table={mine}
                rows={data.mine}
                extra={[level]}
                empty={words.noneOfMine}
              />
              <List
                title={words.public}
                table={open}
                rows={data.public}
                extra={[]}
                empty={words.nonePublic}
              />
              {data.others === undefined ? null : (
                <List
                  title={words.others}
                  text={words.othersText}
                  table={others}
                  rows={data.others}
                  extra={[]}
                  empty={words.noneOther}
                />
              )}
            </SimpleGrid>
          );
        }}
      </Loaded>
      {isCreating ? <CreateOrg onClose={() => setIsCreating(false)} /> : null}
    </Page>
  );
}

interface ListProps {
  readonly title: string;
  readonly text?: string;
  readonly table: TableState<Sort>;
  /** Undefined for who is not signed in. */
  readonly rows: Rows<OrgRow> | undefined;
  readonly extra: readonly Column<OrgRow, Sort>[];
  readonly empty: string;
}

function List({ title, text, table, rows, extra, empty }: ListProps): ReactNode {
  const owner = {
    key: 'owner',
    label: words.owner,
    cell: ({ owner: user }: OrgRow) => <OwnerText user={user} />,
  };
  return (
    <Stack component="section" aria-label={title} gap="sm">
      <Title order={2} size="h4">
        {title}
      </Title>
      {text === undefined ? null : <Text size="sm">{text}</Text>}
      {rows === undefined ? (
        <Text size="sm">{words.signInForMine}</Text>
      ) : (
        <Table<OrgRow, Sort>
          label={title}
          table={table}
          rows={rows}
          columns={[orgColumn, owner, ...extra]}
          rowId={({ id }) => id}
          rowName={({ name }) => name}
          empty={<Text size="sm">{empty}</Text>}
        />
      )}
    </Stack>
  );
}
