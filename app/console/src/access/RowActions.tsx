import { ActionIcon, Button, Group } from '@mantine/core';
import { IconArrowBackUp, IconPencil, IconX } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { endState, useNow } from '../shared';
import { subjectName } from './rows';
import type { EntryRow } from './rows';
import { words } from './words';

interface RowActionsProps {
  readonly row: EntryRow;
  readonly isDisabled: boolean;
  readonly onEdit: () => void;
  readonly onRenew: () => void;
  readonly onRemove: () => void;
  readonly onUndo: () => void;
}

/** The pencil and the x of a row; Undo for a row that is to be removed, Renew for one that has ended. */
export function RowActions({
  row,
  isDisabled,
  onEdit,
  onRenew,
  onRemove,
  onUndo,
}: RowActionsProps): ReactNode {
  const name = subjectName(row.subject);
  const now = useNow();
  if (row.state === 'removed') {
    return (
      <Button
        size="compact-sm"
        variant="default"
        disabled={isDisabled}
        data-row-key={row.key}
        aria-label={words.undoFor(name)}
        leftSection={<IconArrowBackUp size={16} aria-hidden />}
        onClick={onUndo}
      >
        {words.undo}
      </Button>
    );
  }
  return (
    <Group gap={4} wrap="nowrap" justify="flex-end">
      {endState(row.entry.expiresAt, now) === 'ended' ? (
        <Button
          size="compact-sm"
          variant="default"
          disabled={isDisabled}
          aria-label={words.renewFor(name)}
          onClick={onRenew}
        >
          {words.renew}
        </Button>
      ) : null}
      <ActionIcon variant="subtle" aria-label={words.edit(name)} disabled={isDisabled} onClick={onEdit}>
        <IconPencil size={18} aria-hidden />
      </ActionIcon>
      <ActionIcon
        variant="subtle"
        color="red"
        aria-label={words.remove(name)}
        disabled={isDisabled}
        data-row-key={row.key}
        onClick={onRemove}
      >
        <IconX size={18} aria-hidden />
      </ActionIcon>
    </Group>
  );
}
