import { Button, Text } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { useCallback, useState } from 'react';
import type { ReactNode } from 'react';
import type { RoleInfo } from '../access';
import { useLoad, useReadAll, useViewer } from '../api';
import { Loaded, Page, Table, useTable } from '../shared';
import type { Selected } from '../shared';
import { BulkGrant } from './BulkGrant';
import { columns, SORTS } from './columns';
import { CreateResource } from './CreateResource';
import { filterOf } from './filter';
import { ResourcesQuery } from './operations';
import type { TypeRow } from './operations';
import { ResourceFilters } from './ResourceFilters';
import { words } from './words';

type Labels = readonly RoleInfo[];

const NO_LABELS: Labels = [];

/** Return the roles of all types with their words. */
function labelsOfTypes(types: readonly TypeRow[]): Labels {
  return [...new Map(types.flatMap(({ roles }) => roles).map((info) => [info.role, info])).values()];
}

/** The resources that the viewer can see. */
export function ResourcesPage(): ReactNode {
  const table = useTable({ sorts: SORTS, sort: 'NAME' });
  const [isCreating, setIsCreating] = useState(false);
  const isSignedIn = useViewer()?.user != null;
  const [granting, setGranting] = useState<readonly Selected[] | null>(null);
  const [labels, setLabels] = useState(NO_LABELS);
  const filter = filterOf({
    search: table.search,
    type: table.filter('type'),
    org: table.filter('org'),
    owner: table.filter('owner'),
    lock: table.filter('lock'),
    since: table.filter('since'),
    role: labels.find(({ role }) => role === table.filter('role'))?.role,
  });
  const load = useLoad(ResourcesQuery, { ...table.variables, filter });
  if (load.status === 'ready' && labels === NO_LABELS) {
    setLabels(labelsOfTypes(load.data.resourceTypes.nodes));
  }
  const key = JSON.stringify(filter);
  const readAll = useReadAll(
    ResourcesQuery,
    // eslint-disable-next-line react-hooks/exhaustive-deps -- the key is the filter as a text
    useCallback((page) => ({ ...page, filter, orderBy: table.variables.orderBy }), [key, table]),
    useCallback((data) => data.resources, []),
  );
  const create = (
    <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setIsCreating(true)}>
      {words.create}
    </Button>
  );
  return (
    <Page title={words.title} actions={isSignedIn ? create : null}>
      <Loaded load={load}>
        {({ resources, resourceTypes }) => (
          <>
            <Table
              label={words.title}
              table={table}
              rows={resources}
              isRefreshing={load.status === 'ready' && load.isRefreshing}
              rowId={({ id }) => id}
              rowName={({ name }) => name}
              columns={columns(labels)}
              filters={<ResourceFilters table={table} types={resourceTypes.nodes} labels={labels} />}
              readAll={readAll}
              csvName="resources"
              bulk={isSignedIn ? [{ label: words.grant, onRun: setGranting }] : []}
              empty={<Text>{words.none}</Text>}
            />
            {granting === null ? null : (
              <BulkGrant items={granting} roles={labels} onClose={() => setGranting(null)} />
            )}
            {isCreating ? (
              <CreateResource types={resourceTypes.nodes} onClose={() => setIsCreating(false)} />
            ) : null}
          </>
        )}
      </Loaded>
    </Page>
  );
}
