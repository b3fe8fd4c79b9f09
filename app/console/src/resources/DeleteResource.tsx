import { Button, Group, Paper, Stack, Text, Title } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { useChange } from '../api';
import { Confirm, leaving, useNotify } from '../shared';
import { DeleteResourceMutation } from './changes';
import type { ResourceSettings } from './operations';
import { words } from './words';

/** Deletes the resource after its slug was typed. */
export function DeleteResource({ resource }: { readonly resource: ResourceSettings }): ReactNode {
  const { id, name, slug, viewerCan } = resource;
  const [isAsking, setIsAsking] = useState(false);
  const change = useChange(DeleteResourceMutation, {
    payload: (data) => data.deleteResource,
    touches: ['Resource'],
  });
  const navigate = useNavigate();
  const notify = useNotify();
  const remove = async (): Promise<void> => {
    const outcome = await change.run({ input: { resource: { id } } });
    if (outcome.isDone) {
      notify({ kind: 'status', text: words.deleted(name) });
      await navigate({ to: '/resources', ...leaving });
    }
  };
  return (
    <Paper withBorder p="md" component="section" aria-label={words.delete}>
      <Stack>
        <Title order={2} size="h3">
          {words.delete}
        </Title>
        <Text size="sm">{viewerCan.delete ? words.deleteAbout : words.notWhileLocked}</Text>
        {viewerCan.delete ? (
          <Group justify="flex-end">
            <Button color="red" variant="outline" onClick={() => setIsAsking(true)}>
              {words.deleteAct(name)}
            </Button>
          </Group>
        ) : null}
        <Confirm
          isOpen={isAsking}
          onClose={() => setIsAsking(false)}
          title={words.deleteTitle(name)}
          act={words.deleteAct(name)}
          change={change}
          onConfirm={() => void remove()}
          typed={slug}
        >
          <Text>{words.deleteAbout}</Text>
        </Confirm>
      </Stack>
    </Paper>
  );
}
