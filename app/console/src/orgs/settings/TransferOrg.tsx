import { Stack, Text } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { useChange } from '../../api';
import type { ResultOf } from '../../api';
import { Confirm, Form, PersonPicker, Unsaved, useNotify } from '../../shared';
import { TransferOrgMutation } from '../changes';
import type { Org } from '../operations';
import { settingsWords as words } from '../words';
import { LockedResources } from './parts';

const payloadOf = ({ transferOrg }: ResultOf<typeof TransferOrgMutation>) => transferOrg;

/** Gives the organization to another user: checked without writing, then asked, then done. */
export function TransferOrg({ org }: { readonly org: Org }): ReactNode {
  const [owner, setOwner] = useState('');
  const [isAsking, setIsAsking] = useState(false);
  const notify = useNotify();
  const navigate = useNavigate();
  const trial = useChange(TransferOrgMutation, { payload: payloadOf });
  const change = useChange(TransferOrgMutation, { payload: payloadOf, touches: ['Org', 'User'] });
  const input = { org: { id: org.id }, ifRevision: org.revision, owner: { userName: owner.trim() } };
  const check = async (): Promise<void> => {
    const outcome = await trial.run({ input: { ...input, validateOnly: true } });
    setIsAsking(outcome.isDone);
  };
  const confirm = async (): Promise<void> => {
    const outcome = await change.run({ input });
    if (outcome.isDone) {
      notify({ kind: 'status', text: words.transferred(owner) });
      setIsAsking(false);
      setOwner('');
      if (outcome.payload.org === null) {
        await navigate({ to: '/organizations', ignoreBlocker: true });
      }
    }
  };
  if (!org.viewerCan.transfer) {
    return (
      <Stack gap="xs">
        <Text size="sm">{words.transferLocked}</Text>
        <LockedResources locked={org.locked} />
      </Stack>
    );
  }
  return (
    <>
      <Text size="sm">{words.transferText}</Text>
      <Form change={trial} submit={words.transfer} onSubmit={() => void check()} label={words.transfer}>
        <PersonPicker path="owner" label={words.newOwner} value={owner} onChange={setOwner} isRequired />
        <Unsaved isDirty={owner.trim() !== ''} />
      </Form>
      <Confirm
        isOpen={isAsking}
        onClose={() => setIsAsking(false)}
        title={words.transferTitle(org.name)}
        act={words.transfer}
        change={change}
        onConfirm={() => void confirm()}
      >
        <Text size="sm">{words.transferAsk(org.name, owner)}</Text>
        <Text size="sm">{words.transferText}</Text>
      </Confirm>
    </>
  );
}
