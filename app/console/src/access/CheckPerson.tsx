import { Button, Group, NativeSelect, Paper, Stack, Text, Title } from '@mantine/core';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { useLoad } from '../api';
import { Loaded, PersonPicker, useFindPerson } from '../shared';
import classes from './Access.module.css';
import { answerText, isUnknownUser } from './check';
import type { Question } from './check';
import { checkWords as words } from './checkWords';
import type { RoleInfo } from './fragments';
import { CheckPersonQuery } from './peopleOperations';

interface CheckPersonProps {
  readonly resource: string;
  readonly roles: readonly RoleInfo[];
}

/** A name in, the answer in a sentence. */
export function CheckPerson({ resource, roles }: CheckPersonProps): ReactNode {
  const [typed, setTyped] = useState('');
  const [role, setRole] = useState(roles[0]);
  const [question, setQuestion] = useState<Question | null>(null);
  const { find, problemOf, isFinding } = useFindPerson();
  const ask = async (about: RoleInfo): Promise<void> => {
    const userName = await find(typed);
    setQuestion(userName === null ? null : { userName, role: about });
  };
  return (
    <Paper withBorder p="md" component="section" aria-label={words.title}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (typed.trim() !== '' && role !== undefined) {
            void ask(role);
          }
        }}
      >
        <Stack gap="sm">
          <div>
            <Title order={2} size="h4">
              {words.title}
            </Title>
            <Text size="sm" c="dimmed">
              {words.about}
            </Text>
          </div>
          <Group align="flex-start">
            <PersonPicker path="user" value={typed} onChange={setTyped} problem={problemOf(typed)} isBrief />
            <NativeSelect
              label={words.role}
              data={roles.map(({ role: value, label }) => ({ value, label }))}
              value={role?.role ?? ''}
              onChange={(event) => setRole(roles.find((info) => info.role === event.currentTarget.value))}
            />
            <Button
              type="submit"
              className={classes.besideLabel}
              loading={isFinding}
              disabled={typed.trim() === ''}
            >
              {words.act}
            </Button>
          </Group>
          {question === null ? null : (
            <Answer
              key={`${question.userName} ${question.role.role}`}
              question={question}
              resource={resource}
              roles={roles}
            />
          )}
        </Stack>
      </form>
    </Paper>
  );
}

function Answer({
  question,
  resource,
  roles,
}: CheckPersonProps & { readonly question: Question }): ReactNode {
  const { userName, role } = question;
  const load = useLoad(CheckPersonQuery, { id: resource, userName, role: role.role });
  if (isUnknownUser(load)) {
    return <Text role="status">{words.unknown(userName)}</Text>;
  }
  return (
    <Loaded load={load}>
      {(answer) => (
        <div role="status">
          {answerText(question, answer, roles).map((sentence, index) => (
            <Text key={sentence} fw={index === 0 ? 500 : 400}>
              {sentence}
            </Text>
          ))}
        </div>
      )}
    </Loaded>
  );
}
