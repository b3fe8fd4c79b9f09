import { Button, Group, Modal, Stack, Text, Title } from '@mantine/core';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { useLoad } from '../api';
import type { ResultOf } from '../api';
import { Loaded, LinkTo, OrHidden, exactTime, isolated, phrase } from '../shared';
import { actionWords } from './actions';
import { Differences } from './Differences';
import { mainFirst } from './mainFirst';
import { ObjectLink } from './ObjectLink';
import { AuditEventQuery } from './operations';
import type { AuditRow } from './operations';
import { words } from './words';

const PAGE = 20;

type Node = NonNullable<ResultOf<typeof AuditEventQuery>['node']>;
type Changes = NonNullable<Extract<Node, { readonly changes: unknown }>['changes']>;
type Change = Changes['nodes'][number];

interface EventDialogProps {
  readonly row: AuditRow;
  readonly onClose: () => void;
}

/** One change: every object that it touched, before and after side by side. */
export function EventDialog({ row, onClose }: EventDialogProps): ReactNode {
  const [after, setAfter] = useState<string | null>(null);
  const load = useLoad(AuditEventQuery, { id: row.id, first: PAGE, after });
  return (
    <Modal opened onClose={onClose} title={words.detailsTitle(actionWords(row.action))} size="70rem">
      <Stack>
        <Text size="sm">
          {[exactTime(row.createdAt), row.actorName, words.channels[row.channel], row.address, row.requestId]
            .filter((text) => text !== null)
            .map(isolated)
            .join(' · ')}
        </Text>
        <Loaded load={load}>
          {({ node }) =>
            node === null || !('changes' in node) ? (
              <Text>{words.gone}</Text>
            ) : (
              <OrHidden value={node.changes}>
                {(changes) => (
                  <ChangeList
                    action={row.action}
                    changes={changes}
                    isFirst={after === null}
                    onGo={setAfter}
                    onClose={onClose}
                  />
                )}
              </OrHidden>
            )
          }
        </Loaded>
      </Stack>
    </Modal>
  );
}

interface ChangeListProps {
  readonly action: string;
  readonly changes: Changes;
  readonly isFirst: boolean;
  readonly onGo: (after: string | null) => void;
  readonly onClose: () => void;
}

function ChangeList({ action, changes, isFirst, onGo, onClose }: ChangeListProps): ReactNode {
  const { nodes, totalCount, pageInfo } = changes;
  return (
    <>
      {nodes.length === 0 ? <Text>{words.nothingDiffers}</Text> : null}
      {mainFirst(action, nodes).map((change) => (
        <ChangeView key={change.objectId} change={change} onClose={onClose} />
      ))}
      {isFirst && !pageInfo.hasNextPage ? null : (
        <Group>
          <Text size="sm">{words.page(nodes.length, totalCount)}</Text>
          {isFirst ? null : (
            <Button size="xs" variant="default" onClick={() => onGo(null)}>
              {words.firstObjects}
            </Button>
          )}
          {pageInfo.hasNextPage ? (
            <Button size="xs" variant="default" onClick={() => onGo(pageInfo.endCursor)}>
              {words.nextObjects}
            </Button>
          ) : null}
        </Group>
      )}
    </>
  );
}

interface ChangeViewProps {
  readonly change: Change;
  readonly onClose: () => void;
}

function ChangeView({ change, onClose }: ChangeViewProps): ReactNode {
  const { objectId, objectName, objectType } = change;
  return (
    <Stack component="section" gap="xs" aria-label={phrase`${words.types[objectType]} ${objectName}`}>
      <Group justify="space-between">
        <Title order={3} size="h5" component="h2">
          <ObjectLink object={change} />
        </Title>
        <LinkTo size="sm" to="/audit" search={{ object: objectId }} onClick={onClose}>
          {words.onlyThis(objectName)}
        </LinkTo>
      </Group>
      <Differences change={change} />
    </Stack>
  );
}
