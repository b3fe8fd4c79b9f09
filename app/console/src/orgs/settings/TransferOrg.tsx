import { Stack, Text } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { useChange } from '../../api';
import type { ResultOf } from '../../api';
import { Confirm, Form, PersonPicker, Unsaved, leaving, useFindPerson, useNotify } from '../../shared';
import { TransferOrgMutation } from '../changes';
import type { Org } from '../operations';
import { settingsWords as words } from '../words';
import { LockedResources } from './parts';

const payloadOf = ({ transferOrg }: ResultOf<typeof TransferOrgMutation>) => transferOrg;

/** Gives the organization to another user: checked without writing, then asked, then done. */
export function TransferOrg({ org }: { readonly org: Org }): ReactNode {
  const [typed, setTyped] = useState('');
  const [owner, setOwner] = useState('');
  const [isAsking, setIsAsking] = useState(false);
  const { find, problemOf, isFinding } = useFindPerson();
  const notify = useNotify();
  const navigate = useNavigate();
  const trial = useChange(TransferOrgMutation, { payload: payloadOf });
  const change = useChange(TransferOrgMutation, { payload: payloadOf, touches: ['Org', 'User'] });
  const inputFor = (userName: string) => ({
    org: { id: org.id },
    ifRevision: org.revision,
    owner: { userName },
  });
  const check = async (): Promise<void> => {
    const userName = await find(typed);
    if (userName !== null) {
      setOwner(userName);
      const outcome = await trial.run({ input: { ...inputFor(userName), validateOnly: true } });
      setIsAsking(outcome.isDone);
    }
  };
  const confirm = async (): Promise<void> => {
    const outcome = await change.run({ input: inputFor(owner) });
    if (outcome.isDone) {
      notify({ kind: 'status', text: words.transferred(owner) });
      setIsAsking(false);
      setTyped('');
      if (outcome.payload.org === null) {
        await navigate({ to: '/organizations', ...leaving });
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
      <Form
        change={{ ...trial, isBusy: trial.isBusy || isFinding }}
        submit={words.transfer}
        onSubmit={() => void check()}
        isDisabled={typed.trim() === ''}
        label={words.transfer}
      >
        <PersonPicker
          path="owner"
          label={words.newOwner}
          value={typed}
          onChange={setTyped}
          problem={problemOf(typed)}
          isRequired
        />
        <Unsaved isDirty={typed.trim() !== ''} />
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
