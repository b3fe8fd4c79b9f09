import { Button, Stack, Text } from '@mantine/core';
import { useParams } from '@tanstack/react-router';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { useLoad } from '../api';
import { ChangeDialog, actionWords } from '../audit';
import { ResourceFrame } from '../resources';
import { Loaded, Missing, Page, Table, Time, sharedWords, useTable } from '../shared';
import { eventSentences } from './history';
import type { Names } from './history';
import { HistoryQuery } from './historyOperations';
import type { HistoryEdge, HistoryResource } from './historyOperations';
import { historyWords as words } from './historyWords';

const actorOf = ({ node: { actor, actorName } }: HistoryEdge): string =>
  actor?.displayName ?? actorName ?? words.system;

/** Groups that had a grant earlier, and have none now, are named by their slugs. */
const namesOf = ({ type, access }: HistoryResource): Names => ({
  roles: new Map(type.roles.map(({ role, label }) => [role, label])),
  groups: new Map(
    access?.groups.flatMap(({ group }) => (group === null ? [] : [[group.slug, group.displayName]])),
  ),
});

function sentencesOf(edge: HistoryEdge, names: Names): readonly string[] {
  const { before, after, node } = edge;
  return eventSentences({ action: actionWords(node.action), actor: actorOf(edge), before, after }, names);
}

const columns = (names: Names) =>
  [
    { key: 'when', label: words.when, cell: ({ node }: HistoryEdge) => <Time value={node.createdAt} /> },
    {
      key: 'what',
      label: words.what,
      cell: (edge: HistoryEdge) => (
        <Stack gap={2}>
          {sentencesOf(edge, names).map((sentence) => (
            <Text key={sentence} size="sm">
              {sentence}
            </Text>
          ))}
        </Stack>
      ),
    },
  ] as const;

/** What happened to a resource, in words, newest first. */
export function HistoryPage(): ReactNode {
  const { id } = useParams({ from: '/resources/$id/history' });
  const table = useTable();
  const [opened, setOpened] = useState<HistoryEdge | null>(null);
  const { first, after, last, before } = table.variables;
  const load = useLoad(HistoryQuery, { id, first, after, last, before });
  return (
    <Loaded load={load}>
      {({ resource }) =>
        resource === null ? (
          <Page title={words.title}>
            <Missing />
          </Page>
        ) : (
          <ResourceFrame resource={resource}>
            {resource.auditEvents === null ? (
              <Text>{words.notAllowed}</Text>
            ) : (
              <Table
                label={words.title}
                table={table}
                rows={{ ...resource.auditEvents, nodes: resource.auditEvents.edges }}
                isRefreshing={load.status === 'ready' && load.isRefreshing}
                rowId={({ node }) => node.id}
                rowName={({ node }) => node.createdAt}
                hasSearch={false}
                columns={columns(namesOf(resource))}
                actions={(edge) => (
                  <Button
                    size="compact-sm"
                    variant="default"
                    aria-label={words.detailsOf(actorOf(edge), edge.node.createdAt)}
                    onClick={() => setOpened(edge)}
                  >
                    {words.details}
                  </Button>
                )}
                empty={<Text>{sharedWords.none}</Text>}
              />
            )}
            {opened === null ? null : <HistoryDetails edge={opened} onClose={() => setOpened(null)} />}
          </ResourceFrame>
        )
      }
    </Loaded>
  );
}

interface HistoryDetailsProps {
  readonly edge: HistoryEdge;
  readonly onClose: () => void;
}

function HistoryDetails({ edge, onClose }: HistoryDetailsProps): ReactNode {
  const { before, after, node } = edge;
  return (
    <ChangeDialog
      action={node.action}
      createdAt={node.createdAt}
      actor={actorOf(edge)}
      change={{ objectType: 'RESOURCE', before, after }}
      onClose={onClose}
    />
  );
}
