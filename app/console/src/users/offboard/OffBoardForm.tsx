import { Paper, Text, Title } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { useChange } from '../../api';
import {
  BulkDialog,
  Confirm,
  Form,
  PersonPicker,
  Unsaved,
  leaving,
  useFindPerson,
  useNotify,
  useValues,
} from '../../shared';
import { DeactivateUserMutation } from '../changes';
import { DeleteUserMutation } from './changes';
import { Also, How } from './choices';
import type { Fields } from './choices';
import type { Leaver } from './operations';
import { stepsOf } from './steps';
import type { Step } from './steps';
import { useStep } from './useStep';
import { words } from './words';

const START: Fields = { successor: '', how: 'deactivate', removesMemberships: true, revokesTokens: true };
const MOST = 100;

/** The successor and the act. It is checked without writing, then asked, then done. */
export function OffBoardForm({ user }: { readonly user: Leaver }): ReactNode {
  const { values, set, isDirty } = useValues<Fields>(START);
  const [isDone, setIsDone] = useState(false);
  // The steps stay as they were when the act began: what is done leaves the lists of the page.
  const [steps, setSteps] = useState<readonly Step[] | null>(null);
  const [isDeleting, setIsDeleting] = useState(false);
  const deactivation = useChange(DeactivateUserMutation, { payload: (data) => data.deactivateUser });
  const deletion = useChange(DeleteUserMutation, { payload: (data) => data.deleteUser });
  const isDelete = values.how === 'delete';
  const trial = isDelete ? deletion : deactivation;
  const [successor, setSuccessor] = useState('');
  // An unknown successor must be found before the first of many changes, not by the second.
  const { find, problemOf, isFinding } = useFindPerson({ asksForNames: true });
  const check = async (): Promise<void> => {
    const match = values.successor.trim() === '' ? '' : await find(values.successor);
    if (match !== null) {
      setSuccessor(match);
      await tryFor(match);
    }
  };
  const tryFor = async (heir: string): Promise<void> => {
    const input = { user: { id: user.id }, validateOnly: true };
    if (isDelete) {
      const named = heir === '' ? {} : { successor: { userName: heir } };
      const outcome = await deletion.run({ input: { ...input, ...named } });
      setIsDeleting(outcome.isDone);
      return;
    }
    const isRight = !user.viewerCan.deactivate || (await deactivation.run({ input })).isDone;
    setIsDone(isRight);
    setSteps(isRight ? stepsOf(user, { ...values, successor: heir }) : null);
  };
  return (
    <Paper withBorder p="md" maw={640}>
      <Form
        change={{ ...trial, isBusy: trial.isBusy || isFinding }}
        submit={words.check}
        onSubmit={() => void check()}
        label={words.form}
      >
        <Title order={2} size="h4">
          {words.form}
        </Title>
        <PersonPicker
          path="successor"
          label={words.successor}
          description={words.successorHint}
          value={values.successor}
          onChange={set('successor')}
          problem={problemOf(values.successor)}
        />
        <How value={values.how} onChange={set('how')} />
        {isDelete ? null : <Also values={values} set={set} />}
        <Unsaved isDirty={isDirty && !isDone} />
      </Form>
      {steps === null ? null : (
        <Steps user={user} steps={steps} successor={successor} onClose={() => setSteps(null)} />
      )}
      {isDeleting ? <Delete user={user} successor={successor} onClose={() => setIsDeleting(false)} /> : null}
    </Paper>
  );
}

interface ActProps {
  readonly user: Leaver;
  readonly successor: string;
  readonly onClose: () => void;
}

function Steps({
  user,
  steps,
  successor,
  onClose,
}: ActProps & { readonly steps: readonly Step[] }): ReactNode {
  const act = useStep(user.id, successor);
  const byId = new Map(steps.map((step) => [`${step.kind} ${step.id}`, step]));
  const items = [...byId].map(([id, { name }]) => ({ id, name }));
  const hasMore = [user.ownedOrgs, user.ownedResources, user.orgs, user.groups, user.apiTokens].some(
    (list) => list !== null && list.totalCount > MOST,
  );
  return (
    <BulkDialog
      title={words.deactivateTitle(user.userName)}
      items={items}
      onClose={onClose}
      act={async ({ id }) => {
        const step = byId.get(id);
        return step === undefined ? { isDone: false, failures: [] } : act(step);
      }}
    >
      <Text size="sm">{words.resume}</Text>
      {hasMore ? <Text size="sm">{words.tooMany}</Text> : null}
    </BulkDialog>
  );
}

function Delete({ user, successor, onClose }: ActProps): ReactNode {
  const notify = useNotify();
  const navigate = useNavigate();
  const change = useChange(DeleteUserMutation, {
    payload: (data) => data.deleteUser,
    touches: ['User', 'Org', 'Resource', 'Group', 'ApiToken'],
  });
  const counts = [user.ownedOrgs?.totalCount ?? 0, user.ownedResources?.totalCount ?? 0] as const;
  const confirm = async (): Promise<void> => {
    const heir = successor === '' ? {} : { successor: { userName: successor } };
    const outcome = await change.run({ input: { user: { id: user.id }, ...heir } });
    if (outcome.isDone) {
      const { orgsTransferred, resourcesTransferred } = outcome.payload;
      const text =
        successor === ''
          ? words.deleted(user.userName)
          : words.done(user.userName, successor, orgsTransferred ?? 0, resourcesTransferred ?? 0);
      notify({ kind: 'status', text });
      await navigate({ to: '/settings/users', ...leaving });
    }
  };
  const title = words.deleteTitle(user.userName);
  return (
    <Confirm
      isOpen
      {...{ onClose, title, change }}
      act={words.delete(user.userName)}
      typed={user.userName}
      onConfirm={() => void confirm()}
    >
      <Text size="sm">
        {successor === '' ? words.withoutSuccessor(...counts) : words.handsOver(successor, ...counts)}
      </Text>
      <Text size="sm">{words.deleteText}</Text>
    </Confirm>
  );
}
