import { Button, Group, Paper, Stack, Text, Title } from '@mantine/core';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { useChange } from '../api';
import { Confirm, OrgPicker, PersonPicker, Unsaved, useNotify, useValues } from '../shared';
import { TransferResourceMutation } from './changes';
import type { ResourceSettings } from './operations';
import { words } from './words';

interface TransferProps {
  readonly resource: ResourceSettings;
}

/** Gives the resource to another owner or org, after a question. */
export function TransferResource({ resource }: TransferProps): ReactNode {
  const { id, name, revision, viewerCan } = resource;
  const { values, set, reset } = useValues({ owner: '', org: '' });
  const [isAsking, setIsAsking] = useState(false);
  const change = useChange(TransferResourceMutation, {
    payload: (data) => data.transferResource,
    touches: ['Resource'],
  });
  const notify = useNotify();
  const owner = values.owner.trim();
  const org = values.org.trim();
  const transfer = async (): Promise<void> => {
    const outcome = await change.run({
      input: {
        resource: { id },
        ifRevision: revision,
        ...(owner === '' ? {} : { owner: { userName: owner } }),
        ...(org === '' ? {} : { org: { slug: org } }),
      },
    });
    if (outcome.isDone) {
      setIsAsking(false);
      reset();
      notify({ kind: 'status', text: words.transferred });
    }
  };
  return (
    <Paper withBorder p="md" component="section" aria-label={words.transfer}>
      <Stack>
        <Title order={2} size="h3">
          {words.transfer}
        </Title>
        <Text size="sm">{viewerCan.transfer ? words.transferAbout : words.notWhileLocked}</Text>
        {viewerCan.transfer ? (
          <>
            <PersonPicker
              path="-owner"
              label={words.newOwner}
              description={words.keep}
              value={values.owner}
              onChange={set('owner')}
            />
            <OrgPicker
              path="-org"
              label={words.newOrg}
              description={words.keep}
              value={values.org}
              onChange={set('org')}
            />
            <Unsaved isDirty={owner !== '' || org !== ''} />
            <Group justify="flex-end">
              <Button
                variant="default"
                disabled={owner === '' && org === ''}
                onClick={() => {
                  change.clear();
                  setIsAsking(true);
                }}
              >
                {words.transferAct}
              </Button>
            </Group>
          </>
        ) : null}
        <Confirm
          isOpen={isAsking}
          onClose={() => setIsAsking(false)}
          title={words.transferTitle(name)}
          act={words.transferAct}
          change={change}
          onConfirm={() => void transfer()}
        >
          {owner === '' ? null : <Text>{words.toOwner(owner)}</Text>}
          {org === '' ? null : <Text>{words.toOrg(org)}</Text>}
          <Text>{words.lostSight}</Text>
        </Confirm>
      </Stack>
    </Paper>
  );
}
