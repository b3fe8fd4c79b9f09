import { ActionIcon, Group } from '@mantine/core';
import { IconPencil, IconX } from '@tabler/icons-react';
import type { ReactNode } from 'react';

interface EditRemoveButtonsProps {
  /** The accessible names, which carry the row: "Edit ann". */
  readonly edit: string;
  readonly remove: string;
  readonly onEdit: () => void;
  readonly onRemove: () => void;
}

/** The pencil and the x at the end of a row. */
export function EditRemoveButtons({ edit, remove, onEdit, onRemove }: EditRemoveButtonsProps): ReactNode {
  return (
    <Group gap="xs" justify="flex-end" wrap="nowrap">
      <ActionIcon variant="default" aria-label={edit} onClick={onEdit}>
        <IconPencil size={16} aria-hidden />
      </ActionIcon>
      <ActionIcon variant="default" aria-label={remove} onClick={onRemove}>
        <IconX size={16} aria-hidden />
      </ActionIcon>
    </Group>
  );
}
