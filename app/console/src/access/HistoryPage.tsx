import { Button, Code, Modal, Stack, Text, Title } from '@mantine/core';
import { useParams } from '@tanstack/react-router';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { useLoad } from '../api';
import { ResourceFrame } from '../resources';
import { Loaded, Missing, Page, Table, Time, sharedWords, useTable } from '../shared';
import classes from './Access.module.css';
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
  return eventSentences({ action: node.action, actor: actorOf(edge), before, after }, names);
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
            {opened === null ? null : <Details edge={opened} onClose={() => setOpened(null)} />}
          </ResourceFrame>
        )
      }
    </Loaded>
  );
}

interface DetailsProps {
  readonly edge: HistoryEdge;
  readonly onClose: () => void;
}

/** Before and after as the log has them. */
function Details({ edge: { before, after, node }, onClose }: DetailsProps): ReactNode {
  const parts = [
    { label: words.before, value: before },
    { label: words.after, value: after },
  ];
  return (
    <Modal opened onClose={onClose} title={node.action} size="xl">
      <Stack>
        {parts.map(({ label, value }) => (
          <Stack key={label} gap={4}>
            <Title order={3} size="h5">
              {label}
            </Title>
            <Code block className={classes['json'] ?? ''}>
              {JSON.stringify(value, null, 2)}
            </Code>
          </Stack>
        ))}
      </Stack>
    </Modal>
  );
}
