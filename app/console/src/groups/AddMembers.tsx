import { Button, CloseButton, Group, List, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { useChange } from '../api';
import {
  EndsField,
  Form,
  FormDialog,
  PersonPicker,
  bulkWords,
  useChecked,
  useField,
  useNotify,
  usePersonRef,
} from '../shared';
import { AddGroupMembersMutation } from './changes';
import { withName } from './names';
import type { GroupData } from './operations';
import { memberWords as words } from './words';

interface AddMembersProps {
  readonly group: Pick<GroupData, 'id' | 'displayName'>;
  readonly onClose: () => void;
}

const MEMBER = /^members\.(\d+)(\.|$)/;

/** Adds one or several people at once, all or none; several are tried first. Each error stands at its name. */
export function AddMembers({ group, onClose }: AddMembersProps): ReactNode {
  const [typed, setTyped] = useState('');
  const [names, setNames] = useState<readonly string[]>([]);
  const [expiresAt, setExpiresAt] = useState<string | null>(null);
  const [isValid, setIsValid] = useState(true);
  const notify = useNotify();
  const change = useChange(AddGroupMembersMutation, {
    payload: (data) => data.addGroupMembers,
    touches: ['Group', 'User', 'GroupMemberConnection'],
  });
  const all = withName(names, typed);
  const personRef = usePersonRef();
  const { isChecked, setChecked } = useChecked({ all, expiresAt });
  const mayAdd = isChecked || all.length < 2;
  const submit = async (): Promise<void> => {
    setNames(all);
    setTyped('');
    const users = await Promise.all(all.map(personRef));
    const members = users.map((user) => ({ user, expiresAt }));
    const outcome = await change.run({ input: { group: { id: group.id }, members, validateOnly: !mayAdd } });
    if (outcome.isDone && !mayAdd) {
      setChecked();
    } else if (outcome.isDone) {
      notify({ kind: 'status', text: words.added(all.length) });
      onClose();
    }
  };
  const take = (name: string): void => {
    change.clear();
    setNames((old) => old.filter((each) => each !== name));
  };
  return (
    <FormDialog onClose={onClose} title={words.addTitle(group.displayName)}>
      <Form
        change={change}
        submit={mayAdd ? words.addAct(all.length) : bulkWords.check}
        onSubmit={() => void submit()}
        onCancel={onClose}
        isDisabled={!isValid || all.length === 0}
        label={words.add}
      >
        <PersonPicker path="user" value={typed} onChange={setTyped} isFirst />
        <Group>
          <Button
            variant="default"
            size="xs"
            disabled={typed.trim() === ''}
            onClick={() => {
              setNames(all);
              setTyped('');
            }}
          >
            {words.toList}
          </Button>
        </Group>
        <NameList names={names} errors={errorsByIndex(change.fieldErrors)} onTake={take} />
        <EndsField value={expiresAt} onChange={setExpiresAt} onValidity={setIsValid} />
        {all.length < 2 ? null : (
          <Text size="sm" role="status">
            {isChecked ? bulkWords.checked(all.length, all.length) : bulkWords.checkFirst}
          </Text>
        )}
      </Form>
    </FormDialog>
  );
}

/** Return the messages of the entries by their place in the list. */
function errorsByIndex(errors: ReadonlyMap<string, string>): ReadonlyMap<number, string> {
  const problems = new Map<number, string>();
  for (const [path, message] of errors) {
    const [, index] = MEMBER.exec(path) ?? [];
    if (index !== undefined) {
      problems.set(Number(index), message);
    }
  }
  return problems;
}

interface NameListProps {
  readonly names: readonly string[];
  readonly errors: ReadonlyMap<number, string>;
  readonly onTake: (name: string) => void;
}

function NameList({ names, errors, onTake }: NameListProps): ReactNode {
  useField('members', names); // its errors stand at the names
  if (names.length === 0) {
    return null;
  }
  return (
    <Stack gap={4}>
      <Text size="sm">{words.list}:</Text>
      <List size="sm" listStyleType="none" aria-label={words.list}>
        {names.map((name, index) => (
          <List.Item key={name}>
            <Group gap="xs">
              <span>{name}</span>
              {errors.has(index) ? (
                <Text span size="sm" c="red">
                  {errors.get(index)}
                </Text>
              ) : null}
              <CloseButton size="sm" aria-label={words.off(name)} onClick={() => onTake(name)} />
            </Group>
          </List.Item>
        ))}
      </List>
    </Stack>
  );
}
