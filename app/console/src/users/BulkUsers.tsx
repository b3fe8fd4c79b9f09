import { Button, List, Modal, Select, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { useClient } from 'urql';
import { outcomeOf } from '../api';
import type { Outcome } from '../api';
import { BulkDialog } from '../shared';
import type { Selected } from '../shared';
import { useBulk } from '../shared/Bulk/useBulk';
import type { BulkRun } from '../shared/Bulk/useBulk';
import { AddRolesMutation, DeactivateUserMutation, RemoveRolesMutation } from './changes';
import { words } from './words';

export type BulkKind = 'giveRole' | 'takeRole' | 'deactivate';

interface BulkUsersProps {
  readonly kind: BulkKind;
  readonly items: readonly Selected[];
  readonly roles: readonly string[];
  readonly onClose: () => void;
}

type Act = (item: Selected, validateOnly: boolean) => Promise<Outcome<unknown>>;

function useAct(kind: BulkKind, role: string): Act {
  const client = useClient();
  return async ({ id }, validateOnly) => {
    const user = { id };
    if (kind === 'deactivate') {
      const input = { user, validateOnly };
      const result = await client.mutation(DeactivateUserMutation, { input }).toPromise();
      return outcomeOf(result, (data) => data.deactivateUser);
    }
    const input = { user, roles: [role], validateOnly };
    if (kind === 'giveRole') {
      const result = await client.mutation(AddRolesMutation, { input }).toPromise();
      return outcomeOf(result, (data) => data.addRoles);
    }
    const result = await client.mutation(RemoveRolesMutation, { input }).toPromise();
    return outcomeOf(result, (data) => data.removeRoles);
  };
}

function textOf(kind: BulkKind, role: string | null): string {
  if (kind === 'deactivate' || role === null) {
    return kind === 'deactivate' ? words.deactivateText : words.chooseRole;
  }
  return kind === 'giveRole' ? words.giveRoleText(role) : words.takeRoleText(role);
}

/** An act on the ticked users: first tried for each without writing, then offered for those it works for. */
export function BulkUsers({ kind, items, roles, onClose }: BulkUsersProps): ReactNode {
  const [role, setRole] = useState<string | null>(null);
  const [isChecked, setIsChecked] = useState(false);
  const act = useAct(kind, role ?? '');
  const { states, start, isRunning } = useBulk((item) => act(item, true));
  const title = words[kind](items.length);
  const text = textOf(kind, role);
  if (isChecked) {
    return <Checked {...{ title, items, act, onClose, text, states }} />;
  }
  const needsRole = kind !== 'deactivate';
  const check = async (): Promise<void> => {
    await start(items);
    setIsChecked(true);
  };
  return (
    <Modal opened onClose={onClose} title={title}>
      <Stack>
        {needsRole ? (
          <Select
            label={words.role}
            data={[...roles]}
            value={role}
            onChange={setRole}
            disabled={isRunning}
            searchable
            data-autofocus
          />
        ) : null}
        <Text size="sm">{text}</Text>
        <Text size="sm" role="status">
          {isRunning ? words.checking(states.size, items.length) : words.checkFirst}
        </Text>
        <Button loading={isRunning} disabled={needsRole && role === null} onClick={() => void check()}>
          {words.check}
        </Button>
      </Stack>
    </Modal>
  );
}

interface CheckedProps {
  readonly title: string;
  readonly text: string;
  readonly items: readonly Selected[];
  readonly states: BulkRun['states'];
  readonly act: Act;
  readonly onClose: () => void;
}

/** What the check said, and the act for those that may be changed. */
function Checked({ title, text, items, states, act, onClose }: CheckedProps): ReactNode {
  const good = items.filter(({ id }) => states.get(id)?.kind === 'done');
  const refused = items.flatMap((item) => {
    const state = states.get(item.id);
    return state?.kind === 'failed' ? [{ item, failures: state.failures }] : [];
  });
  return (
    <BulkDialog title={title} items={good} act={(item) => act(item, false)} onClose={onClose}>
      <Text size="sm">{text}</Text>
      <Text size="sm">{words.checked(good.length, items.length)}</Text>
      <List size="sm">
        {refused.map(({ item, failures }) => (
          <List.Item key={item.id}>
            {item.name}: {failures.map(({ message }) => message).join(' ')}
          </List.Item>
        ))}
      </List>
    </BulkDialog>
  );
}
