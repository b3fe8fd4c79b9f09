import { Button } from '@mantine/core';
import { useCallback, useState } from 'react';
import type { ReactNode } from 'react';
import { useLoad, useReadAll, useViewer } from '../api';
import type { ResultOf } from '../api';
import { Loaded, Page, Table, useTable } from '../shared';
import type { BulkAction, Selected } from '../shared';
import { AddServiceAccount } from './AddServiceAccount';
import { AddUser } from './AddUser';
import { BulkUsers } from './BulkUsers';
import type { BulkKind } from './BulkUsers';
import { COLUMNS, SORTS } from './columns';
import type { UserSort } from './columns';
import { ExportUsers } from './ExportUsers';
import { ImportUsers } from './ImportUsers';
import { UsersExportQuery, UsersQuery } from './operations';
import type { UserRow } from './operations';
import { filterOf } from './query';
import type { UserFilter } from './query';
import { UserFilters } from './UserFilters';
import { words } from './words';

type Dialog =
  | { readonly kind: 'user' | 'serviceAccount' | 'import' }
  | { readonly kind: 'bulk'; readonly act: BulkKind; readonly items: readonly Selected[] };

const KINDS = ['giveRole', 'takeRole', 'deactivate'] as const;
const pickRows = ({ users }: ResultOf<typeof UsersQuery>) => users;
const pickExported = ({ users }: ResultOf<typeof UsersExportQuery>) => users;

/** All readings of the list with one filter: a page, every row, every row of the export. */
function useUsers() {
  const table = useTable<UserSort>({ sorts: SORTS, sort: 'USER_NAME' });
  const filter: UserFilter = filterOf({
    search: table.search,
    role: table.filter('role'),
    notSince: table.filter('since'),
    state: table.filter('state'),
  });
  const { orderBy } = table.variables;
  const load = useLoad(UsersQuery, { ...table.variables, filter });
  const pageOf = useCallback(
    (page: { first: number; after: string | null }) => ({ ...page, filter, orderBy }),
    [filter, orderBy],
  );
  const readAll = useReadAll(UsersQuery, pageOf, pickRows);
  const readExport = useReadAll(UsersExportQuery, pageOf, pickExported);
  return { table, load, readAll, readExport };
}

/** The users of the registry. */
export function UsersPage(): ReactNode {
  const { table, load, readAll, readExport } = useUsers();
  const [dialog, setDialog] = useState<Dialog | null>(null);
  const viewer = useViewer();
  const mayCreate = viewer?.can.createUsers ?? false;
  const mayChange = viewer?.permissions.includes('USERS_MANAGE') ?? false;
  const bulk: readonly BulkAction[] = KINDS.map((act) => ({
    label: words[act],
    isDanger: act === 'deactivate',
    onRun: (items) => setDialog({ kind: 'bulk', act, items }),
  }));
  const roles = load.status === 'ready' ? load.data.roles.nodes.map(({ name }) => name) : [];
  return (
    <Page title={words.title} actions={mayCreate ? <Creating onOpen={setDialog} /> : null}>
      <Loaded load={load}>
        {({ users }) => (
          <Table<UserRow, UserSort>
            label={words.table}
            table={table}
            rows={users}
            columns={COLUMNS}
            rowId={({ id }) => id}
            rowName={({ userName }) => userName}
            bulk={mayChange ? bulk : []}
            readAll={readAll}
            filters={
              <>
                <UserFilters table={table} roles={roles} />
                <ExportUsers readAll={readExport} />
              </>
            }
            isRefreshing={load.status === 'ready' && load.isRefreshing}
          />
        )}
      </Loaded>
      {dialog === null ? null : <Dialogs dialog={dialog} roles={roles} onClose={() => setDialog(null)} />}
    </Page>
  );
}

function Creating({ onOpen }: { readonly onOpen: (dialog: Dialog) => void }): ReactNode {
  return (
    <>
      <Button variant="default" onClick={() => onOpen({ kind: 'import' })}>
        {words.importUsers}
      </Button>
      <Button variant="default" onClick={() => onOpen({ kind: 'serviceAccount' })}>
        {words.addServiceAccount}
      </Button>
      <Button onClick={() => onOpen({ kind: 'user' })}>{words.addUser}</Button>
    </>
  );
}

interface DialogsProps {
  readonly dialog: Dialog;
  readonly roles: readonly string[];
  readonly onClose: () => void;
}

function Dialogs({ dialog, roles, onClose }: DialogsProps): ReactNode {
  switch (dialog.kind) {
    case 'user':
      return <AddUser roles={roles} onClose={onClose} />;
    case 'serviceAccount':
      return <AddServiceAccount roles={roles} onClose={onClose} />;
    case 'import':
      return <ImportUsers onClose={onClose} />;
    case 'bulk':
      return <BulkUsers kind={dialog.act} items={dialog.items} roles={roles} onClose={onClose} />;
  }
}
