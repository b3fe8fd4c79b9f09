import { Tooltip } from '@mantine/core';
import type { ReactNode } from 'react';
import { exactTime, shortTime } from './times';
import { useNow } from './useNow';
import { words } from './words';

interface TimeProps {
  /** A moment as the API has it; null is shown as `none`. */
  readonly value: string | null;
  readonly none?: string;
}

/** A moment: local and relative within a week, exact with its zone on hover and focus. */
export function Time({ value, none = words.never }: TimeProps): ReactNode {
  const now = useNow();
  if (value === null) {
    return none;
  }
  return (
    <Tooltip label={exactTime(value)} events={{ hover: true, focus: true, touch: true }}>
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- the exact time opens on focus */}
      <time dateTime={value} tabIndex={0}>
        {shortTime(value, now)}
      </time>
    </Tooltip>
  );
}
