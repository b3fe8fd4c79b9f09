import { Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { words } from './words';

/** Stands for what is null because the viewer may not see it, apart from "none". */
export function Hidden(): ReactNode {
  return (
    <Text span size="sm" c="dimmed" fs="italic">
      {words.hidden}
    </Text>
  );
}

interface OrHiddenProps<Value> {
  readonly value: Value | null;
  readonly children: (value: Value) => ReactNode;
}

/** Shows a value that is null only if it is hidden. */
export function OrHidden<Value>({ value, children }: OrHiddenProps<Value>): ReactNode {
  return value === null ? <Hidden /> : children(value);
}
