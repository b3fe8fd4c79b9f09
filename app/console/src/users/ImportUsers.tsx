import { Button, FileButton, Group, ScrollArea, Stack, Table, Text, Textarea } from '@mantine/core';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { useClient } from 'urql';
import { fieldOf, outcomeOf, problemOf } from '../api';
import type { Failure } from '../api';
import { Failures, FormDialog, useDialogNote, useEditedNote, useNotify, joined } from '../shared';
import { CreateUsersMutation } from './changes';
import { MOST_USERS, usersOf } from './csvImport';
import type { Imported } from './csvImport';
import { importWords as words, words as userWords } from './words';

type Stage =
  | { readonly kind: 'typing'; readonly problem?: string }
  | {
      readonly kind: 'checked';
      readonly imported: Imported;
      /** Messages by the index of the user. */
      readonly refused: ReadonlyMap<number, string>;
      readonly failures: readonly Failure[];
    };

const LIST = /^users\.(\d+)(?:\.(.*))?$/;

/** Sort the reasons of a refusal by line; those of no line are returned apart. */
function sorted(
  failures: readonly Failure[],
): Omit<Extract<Stage, { kind: 'checked' }>, 'kind' | 'imported'> {
  const refused = new Map<number, string>();
  const rest: Failure[] = [];
  for (const failure of failures) {
    const match = LIST.exec(fieldOf(failure));
    if (match === null) {
      rest.push(failure);
    } else {
      const line = Number(match[1]);
      const text = [match[2], failure.message].filter((part) => part !== undefined && part !== '').join(': ');
      refused.set(line, [refused.get(line), text].filter((part) => part !== undefined).join(' '));
    }
  }
  return { refused, failures: rest };
}

function useImport() {
  const client = useClient();
  return async ({ users }: Imported, validateOnly: boolean): Promise<readonly Failure[]> => {
    const input = { users: [...users], validateOnly };
    const options = { additionalTypenames: validateOnly ? [] : ['User'] };
    const result = await client.mutation(CreateUsersMutation, { input }, options).toPromise();
    const outcome = outcomeOf(result, (data) => data.createUsers);
    const lines = result.data?.createUsers?.results.flatMap(({ errors }) => errors.map(problemOf)) ?? [];
    return lines.length > 0 ? lines : outcome.isDone ? [] : outcome.failures;
  };
}

/** Many users from CSV text. Each line is checked before anything is written. */
export function ImportUsers({ onClose }: { readonly onClose: () => void }): ReactNode {
  return (
    <FormDialog onClose={onClose} title={userWords.importUsers} size="xl">
      <ImportForm onClose={onClose} />
    </FormDialog>
  );
}

function ImportForm({ onClose }: { readonly onClose: () => void }): ReactNode {
  const [text, setText] = useState('');
  const [stage, setStage] = useState<Stage>({ kind: 'typing' });
  const [isBusy, setIsBusy] = useState(false);
  useDialogNote('busy', isBusy);
  const send = useImport();
  const notify = useNotify();
  const type = (value: string): void => {
    setText(value);
    setStage({ kind: 'typing' });
  };
  const check = async (): Promise<void> => {
    const parsed = usersOf(text);
    if (!parsed.isRight) {
      setStage({ kind: 'typing', problem: parsed.problem });
      return;
    }
    setIsBusy(true);
    const failures = await send(parsed.value, true);
    setIsBusy(false);
    setStage({ kind: 'checked', imported: parsed.value, ...sorted(failures) });
  };
  const write = async (imported: Imported): Promise<void> => {
    setIsBusy(true);
    const failures = await send(imported, false);
    setIsBusy(false);
    if (failures.length === 0) {
      notify({ kind: 'status', text: words.done(imported.users.length) });
      onClose();
    } else {
      setStage({ kind: 'checked', imported, ...sorted(failures) });
    }
  };
  return (
    <Stack>
      <Text size="sm">{words.intro(MOST_USERS)}</Text>
      <CsvText text={text} onChange={type} problem={stage.kind === 'typing' ? stage.problem : undefined} />
      <Group justify="flex-end">
        <Button variant="default" loading={isBusy} disabled={text === ''} onClick={() => void check()}>
          {words.check}
        </Button>
        {stage.kind === 'checked' && stage.refused.size + stage.failures.length === 0 ? (
          <Button loading={isBusy} onClick={() => void write(stage.imported)}>
            {words.import(stage.imported.users.length)}
          </Button>
        ) : null}
      </Group>
      {stage.kind === 'checked' ? <Preview {...stage} /> : null}
    </Stack>
  );
}

interface CsvTextProps {
  readonly text: string;
  readonly onChange: (text: string) => void;
  readonly problem: string | undefined;
}

function CsvText({ text, onChange, problem }: CsvTextProps): ReactNode {
  useEditedNote(text);
  return (
    <>
      <Textarea
        label={words.text}
        placeholder={words.example}
        minRows={5}
        maxRows={12}
        autosize
        value={text}
        onChange={(event) => onChange(event.currentTarget.value)}
        onDrop={(event) => {
          const file = event.dataTransfer.files.item(0);
          if (file !== null) {
            event.preventDefault();
            void file.text().then(onChange);
          }
        }}
        error={problem}
        data-autofocus
      />
      <FileButton
        accept="text/csv,.csv"
        onChange={(file) => (file === null ? undefined : void file.text().then(onChange))}
      >
        {(props) => (
          <Button {...props} variant="default" style={{ alignSelf: 'flex-start' }}>
            {words.file}
          </Button>
        )}
      </FileButton>
    </>
  );
}

function Preview({ imported, refused, failures }: Extract<Stage, { kind: 'checked' }>): ReactNode {
  const { users, lineNumbers, serviceAccounts } = imported;
  const isRight = refused.size + failures.length === 0;
  return (
    <>
      <Failures failures={failures} />
      <Text role="status" size="sm" fw={600}>
        {isRight ? words.ready(users.length) : words.refused(refused.size, users.length)}
      </Text>
      {serviceAccounts > 0 ? <Text size="sm">{words.leftOut(serviceAccounts)}</Text> : null}
      <ScrollArea.Autosize mah={320} viewportProps={{ tabIndex: 0, 'aria-label': words.preview }}>
        <Table aria-label={words.preview}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{words.line}</Table.Th>
              <Table.Th>{userWords.userName}</Table.Th>
              <Table.Th>{userWords.roles}</Table.Th>
              <Table.Th>{words.result}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {users.map((user, index) => (
              <Table.Tr key={index}>
                <Table.Td>{lineNumbers[index]}</Table.Td>
                <Table.Td>{user.userName}</Table.Td>
                <Table.Td>{joined(user.roles ?? [])}</Table.Td>
                <Table.Td {...(refused.has(index) ? { c: 'red' } : {})}>
                  {refused.get(index) ?? words.fine}
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </ScrollArea.Autosize>
    </>
  );
}
