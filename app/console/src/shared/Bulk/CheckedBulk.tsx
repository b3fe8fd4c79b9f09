import { Button, Group, List, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import type { ReactNode } from 'react';
import type { Outcome } from '../../api';
import { FormDialog } from '../FormDialog';
import type { Selected } from '../Table';
import { BulkDialog } from './BulkDialog';
import { checkedOf } from './checked';
import { useBulk } from './useBulk';
import type { BulkRun } from './useBulk';
import { words } from './words';

/** Do it for one item, or only try it. */
export type CheckedAct = (item: Selected, validateOnly: boolean) => Promise<Outcome<unknown>>;

interface CheckedBulkProps {
  readonly title: string;
  readonly items: readonly Selected[];
  readonly act: CheckedAct;
  readonly onClose: () => void;
  /** What will happen, in words. */
  readonly text: string;
  /** Whether the fields are filled in. */
  readonly isReady?: boolean;
  /** The fields of what the items get. */
  readonly children?: ReactNode;
}

/** An act on the ticked rows: first tried for each without writing, then offered for those it works for. */
export function CheckedBulk(props: CheckedBulkProps): ReactNode {
  const { title, items, act, onClose, text, isReady = true, children } = props;
  const [isChecked, setIsChecked] = useState(false);
  const [isStopped, setIsStopped] = useState(false);
  const { states, start, stop, isRunning } = useBulk((item) => act(item, true));
  if (isChecked) {
    return <Checked {...{ title, items, act, onClose, text, states }} />;
  }
  const check = async (): Promise<void> => {
    setIsStopped(false);
    const isWhole = await start(items);
    setIsChecked(isWhole);
    setIsStopped(!isWhole);
  };
  const close = (): void => {
    stop();
    onClose();
  };
  const rest = isStopped ? words.checkStopped : words.checkFirst;
  return (
    <FormDialog onClose={close} title={title}>
      <Stack>
        <fieldset disabled={isRunning} style={{ border: 0, margin: 0, padding: 0 }}>
          {children}
        </fieldset>
        <Text size="sm">{text}</Text>
        <Text size="sm" role="status">
          {isRunning ? words.checking(states.size, items.length) : rest}
        </Text>
        <Group justify="flex-end">
          {isRunning ? (
            <Button variant="default" onClick={stop}>
              {words.stop}
            </Button>
          ) : null}
          <Button loading={isRunning} disabled={!isReady} onClick={() => void check()}>
            {words.check}
          </Button>
        </Group>
      </Stack>
    </FormDialog>
  );
}

type CheckedProps = Pick<CheckedBulkProps, 'title' | 'text' | 'items' | 'act' | 'onClose'> & {
  readonly states: BulkRun['states'];
};

/** What the check said, and the act for those that may be changed. */
function Checked({ title, text, items, states, act, onClose }: CheckedProps): ReactNode {
  const { good, refused } = checkedOf(items, states);
  return (
    <BulkDialog title={title} items={good} act={(item) => act(item, false)} onClose={onClose}>
      <Text size="sm">{text}</Text>
      <Text size="sm">{words.checked(good.length, items.length)}</Text>
      {refused.length === 0 ? null : (
        <List size="sm">
          {refused.map(({ item, message }) => (
            <List.Item key={item.id}>
              {item.name}: {message}
            </List.Item>
          ))}
        </List>
      )}
    </BulkDialog>
  );
}
