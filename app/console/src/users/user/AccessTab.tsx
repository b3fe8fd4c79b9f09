import { Button, List, Modal, Text } from '@mantine/core';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { isOrgOwner, wayText } from '../../access';
import { useLoad } from '../../api';
import type { ResultOf } from '../../api';
import { EndsText, Hidden, LinkTo, Loaded, Table, useTable } from '../../shared';
import type { Column } from '../../shared';
import { UserReachQuery, UserWhyQuery } from './access';
import type { UserDetails } from './operations';
import { accessWords as words } from './words';

type Sort = 'NAME' | 'UPDATED_AT';
type Reach = NonNullable<NonNullable<ResultOf<typeof UserReachQuery>['user']>['accessibleResources']>;
type Row = Reach['nodes'][number];
type Why = ResultOf<typeof UserWhyQuery>;
type Source = NonNullable<Why['explainAccess']>[number];

const COLUMNS: readonly Column<Row, Sort>[] = [
  {
    key: 'name',
    label: words.name,
    sort: 'NAME',
    cell: ({ id, name }) => (
      <LinkTo to="/resources/$id" params={{ id }}>
        {name}
      </LinkTo>
    ),
    csv: ({ name }) => name,
  },
  { key: 'type', label: words.type, cell: ({ type }) => type.label, csv: ({ type }) => type.label },
  {
    key: 'org',
    label: words.org,
    cell: ({ org }) => (org === null ? <Hidden /> : org.name),
    csv: ({ org }) => org?.slug ?? '',
  },
];

/** What a user can reach, and why. */
export function AccessTab({ user }: { readonly user: UserDetails }): ReactNode {
  const table = useTable<Sort>({ sorts: ['NAME'], sort: 'NAME' });
  const load = useLoad(
    UserReachQuery,
    { ...table.variables, userName: user.userName },
    { isPaused: !user.viewerCan.seeAccessibleResources },
  );
  const [explained, setExplained] = useState<Row | null>(null);
  if (!user.viewerCan.seeAccessibleResources) {
    return <Hidden />;
  }
  return (
    <>
      <Loaded load={load}>
        {({ user: withResources }) => (
          <Table<Row, Sort>
            label={words.table}
            table={table}
            rows={withResources?.accessibleResources ?? null}
            columns={COLUMNS}
            rowId={({ id }) => id}
            rowName={({ name }) => name}
            hasSearch={false}
            empty={<Text>{words.none}</Text>}
            actions={(row) => (
              <Button
                size="xs"
                variant="default"
                aria-label={words.whyOf(row.name)}
                onClick={() => setExplained(row)}
              >
                {words.why}
              </Button>
            )}
          />
        )}
      </Loaded>
      {explained === null ? null : (
        <WhyDialog user={user} resource={explained} onClose={() => setExplained(null)} />
      )}
    </>
  );
}

interface WhyDialogProps {
  readonly user: UserDetails;
  readonly resource: Row;
  readonly onClose: () => void;
}

function WhyDialog({ user, resource, onClose }: WhyDialogProps): ReactNode {
  const load = useLoad(UserWhyQuery, { userName: user.userName, resource: resource.id });
  return (
    <Modal opened onClose={onClose} title={words.whyTitle(user.userName, resource.name)}>
      <Loaded load={load}>
        {(why) =>
          why.explainAccess === null ? (
            <Hidden />
          ) : why.explainAccess.length === 0 ? (
            <Text>{words.noWay(user.userName)}</Text>
          ) : (
            <List>
              {why.explainAccess.map((source, index) => (
                <List.Item key={index}>
                  {sentenceOf(source, why, user)}
                  {source.expiresAt === null ? null : (
                    <>
                      {' · '}
                      <EndsText value={source.expiresAt} />
                    </>
                  )}
                </List.Item>
              ))}
            </List>
          )
        }
      </Loaded>
    </Modal>
  );
}

function sentenceOf(source: Source, { resource, orgLevels }: Why, user: UserDetails): string {
  const labels = new Map(resource?.type.roles.map(({ role, label }) => [role, label]));
  const roles = source.effectiveRoles.map((role) => labels.get(role) ?? role).join(', ');
  return words.path(roles, wayText(source, { orgLevels, isOrgOwner: isOrgOwner(resource, user) }));
}
