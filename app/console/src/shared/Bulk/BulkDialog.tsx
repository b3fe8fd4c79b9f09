import { Button, Group, List, Modal, Stack, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { useOnline } from '../../api';
import { ScrollList } from '../ScrollList';
import type { Selected } from '../Table';
import { useBulk } from './useBulk';
import type { BulkAct, BulkState } from './useBulk';
import { words } from './words';

interface BulkDialogProps {
  readonly title: string;
  readonly items: readonly Selected[];
  /** Do it for one item, with `outcomeOf` or the `run` of a change. */
  readonly act: BulkAct;
  readonly onClose: () => void;
  /** What will happen, in words. */
  readonly children?: ReactNode;
}

function stateText(state: BulkState | undefined): string {
  if (state?.kind === 'failed') {
    return state.failures.map(({ message }) => message).join(' ');
  }
  return words[state?.kind ?? 'waiting'];
}

/** Does an act for each item, one after another, with what came of each, Stop, and Repeat those that failed. */
export function BulkDialog({ title, items, act, onClose, children }: BulkDialogProps): ReactNode {
  const isOnline = useOnline();
  const { states, isRunning, start, stop } = useBulk(act);
  const isOf = (kind: BulkState['kind']) => (item: Selected) => states.get(item.id)?.kind === kind;
  const done = items.filter(isOf('done'));
  const failed = items.filter(isOf('failed'));
  const open = items.filter(({ id }) => !states.has(id));
  return (
    <Modal opened onClose={isRunning ? () => undefined : onClose} title={title}>
      <Stack>
        {children}
        <Text size="sm" role="status">
          {words.progress(done.length, items.length)}
        </Text>
        <ScrollList mah={320} aria-label={title}>
          {items.map((item) => (
            <List.Item key={item.id}>
              {item.name}: {stateText(states.get(item.id))}
            </List.Item>
          ))}
        </ScrollList>
        <Group justify="flex-end">
          {isRunning ? (
            <Button variant="default" onClick={stop}>
              {words.stop}
            </Button>
          ) : (
            <>
              {failed.length > 0 ? (
                <Button variant="default" disabled={!isOnline} onClick={() => void start(failed)}>
                  {words.again}
                </Button>
              ) : null}
              {open.length > 0 ? (
                <Button disabled={!isOnline} onClick={() => void start(open)}>
                  {words.start}
                </Button>
              ) : null}
              <Button variant="default" onClick={onClose}>
                {words.close}
              </Button>
            </>
          )}
        </Group>
      </Stack>
    </Modal>
  );
}
