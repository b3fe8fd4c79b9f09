import { Modal, Stack, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { exactTime, isolated } from '../shared';
import { actionWords } from './actions';
import { Differences } from './Differences';
import type { ObjectChange } from './changes';
import { words } from './words';

interface ChangeDialogProps {
  readonly action: string;
  readonly createdAt: string;
  readonly actor: string;
  readonly change: ObjectChange;
  readonly onClose: () => void;
}

/** What one change did to one object: its fields before and after, in words. */
export function ChangeDialog(props: ChangeDialogProps): ReactNode {
  const { action, createdAt, actor, change, onClose } = props;
  return (
    <Modal opened onClose={onClose} title={words.detailsTitle(actionWords(action))} size="70rem">
      <Stack>
        <Text size="sm">{[exactTime(createdAt), actor].map(isolated).join(' · ')}</Text>
        <Differences change={change} />
      </Stack>
    </Modal>
  );
}
