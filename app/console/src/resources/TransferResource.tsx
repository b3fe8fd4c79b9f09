import { Button, Group, Paper, Stack, Text, Title } from '@mantine/core';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { useChange } from '../api';
import { Confirm, OrgPicker, PersonPicker, Unsaved, useFindPerson, useNotify, useValues } from '../shared';
import type { Values } from '../shared';
import { TransferResourceMutation } from './changes';
import type { ResourceSettings } from './operations';
import { words } from './words';

interface Place {
  readonly owner: string;
  readonly org: string;
}

interface TransferProps {
  readonly resource: ResourceSettings;
}

/** Gives the resource to another owner or org, after a question. */
export function TransferResource({ resource }: TransferProps): ReactNode {
  const { id, name, revision, viewerCan } = resource;
  const { values, set, reset } = useValues<Place>({ owner: '', org: '' });
  const [owner, setOwner] = useState('');
  const { find, problemOf, isFinding } = useFindPerson();
  const [isAsking, setIsAsking] = useState(false);
  const change = useChange(TransferResourceMutation, {
    payload: (data) => data.transferResource,
    touches: ['Resource'],
  });
  const notify = useNotify();
  const typed = values.owner.trim();
  const org = values.org.trim();
  const ask = async (): Promise<void> => {
    const userName = typed === '' ? '' : await find(values.owner);
    if (userName !== null) {
      setOwner(userName);
      change.clear();
      setIsAsking(true);
    }
  };
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
            <NewPlace values={values} set={set} problem={problemOf(values.owner)} />
            <Unsaved isDirty={typed !== '' || org !== ''} />
            <Group justify="flex-end">
              <Button
                variant="default"
                loading={isFinding}
                disabled={typed === '' && org === ''}
                onClick={() => void ask()}
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

interface NewPlaceProps extends Pick<Values<Place>, 'values' | 'set'> {
  readonly problem: string | null;
}

/** The new owner and the new org, each empty for the present one. */
function NewPlace({ values, set, problem }: NewPlaceProps): ReactNode {
  return (
    <>
      <PersonPicker
        path="-owner"
        label={words.newOwner}
        description={words.keep}
        value={values.owner}
        onChange={set('owner')}
        problem={problem}
      />
      <OrgPicker
        path="-org"
        label={words.newOrg}
        description={words.keep}
        value={values.org}
        onChange={set('org')}
      />
    </>
  );
}
