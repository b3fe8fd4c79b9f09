import { Badge, Button, Group, Stack, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import classes from './Access.module.css';
import type { RoleInfo } from './fragments';
import type { Panel } from './usePanel';
import { labelsOf } from './roles';
import { subjectName } from './rows';
import type { EntryRow } from './rows';
import { listed, words } from './words';

const MARKS = { added: words.isAdded, changed: words.isChanged, removed: words.isRemoved } as const;

interface EntryNameProps {
  readonly row: EntryRow;
  readonly error: string | undefined;
  readonly panel: Panel;
  readonly roles: readonly RoleInfo[];
}

/** Roles as granted, in words. */
export const rolesText = (granted: Iterable<RoleInfo['role']>, roles: readonly RoleInfo[]): string =>
  listed(labelsOf(granted, roles)) || words.none;

/** Who a row is about, what happens to it, and what is wrong with it. */
export function EntryName({ row, error, panel, roles }: EntryNameProps): ReactNode {
  const { subject, state, overlap } = row;
  const name = subjectName(subject);
  const below =
    subject.kind === 'group' ? subject.description : subject.kind === 'user' ? subject.userName : '';
  return (
    <Stack gap={2} align="flex-start">
      <Group gap="xs">
        <Text span fw={500} className={state === 'removed' ? (classes['removed'] ?? '') : ''}>
          {name}
        </Text>
        {state === 'same' ? null : (
          <Badge variant="light" autoContrast tt="none" color={state === 'removed' ? 'red' : 'teal'}>
            {MARKS[state]}
          </Badge>
        )}
      </Group>
      {below === '' || below === name ? null : (
        <Text span size="xs" c="dimmed">
          {below}
        </Text>
      )}
      {error === undefined ? null : (
        <Text size="sm" c="red" role="alert" tabIndex={-1} data-row-error>
          {error}
        </Text>
      )}
      {overlap === null ? null : <OverlapChoice {...{ row, panel, roles, name }} />}
    </Stack>
  );
}

interface OverlapProps extends Pick<EntryNameProps, 'row' | 'panel' | 'roles'> {
  readonly name: string;
}

/** A row that another user has changed meanwhile: the user chooses. */
export function OverlapChoice({ row: { key, overlap }, panel, roles, name }: OverlapProps): ReactNode {
  const theirs = overlap?.theirs ?? null;
  const text = theirs === null ? words.removedByThem : rolesText(theirs.roles, roles);
  const choose = (isMine: boolean) => (): void => panel.dispatch({ kind: 'choose', key, isMine });
  return (
    <Stack gap={4} align="flex-start">
      <Badge color="yellow" autoContrast tt="none">
        {words.changedByBoth}
      </Badge>
      <Text size="sm">{words.theirsAre(text)}</Text>
      <Group gap="xs">
        <Button size="compact-sm" variant="default" aria-label={words.mineFor(name)} onClick={choose(true)}>
          {words.mine}
        </Button>
        <Button
          size="compact-sm"
          variant="default"
          aria-label={words.theirsFor(name)}
          onClick={choose(false)}
        >
          {words.theirs}
        </Button>
      </Group>
    </Stack>
  );
}
