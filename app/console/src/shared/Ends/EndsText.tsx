import { Badge, Text, Tooltip } from '@mantine/core';
import type { ReactNode } from 'react';
import { dayOf, endState, exactTime } from '../times';
import { useNow } from '../useNow';
import { words } from './words';

/** An end in words: amber within 14 days, grey when it has passed. */
export function EndsText({ value }: { readonly value: string | null }): ReactNode {
  const now = useNow();
  if (value === null) {
    return (
      <Text span size="sm">
        {words.none}
      </Text>
    );
  }
  const state = endState(value, now);
  const text = state === 'ended' ? words.endedOn(dayOf(value)) : words.endsOn(dayOf(value));
  return (
    <Tooltip label={exactTime(value)} events={{ hover: true, focus: true, touch: true }}>
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- the exact time opens on focus */}
      <time dateTime={value} tabIndex={0}>
        {state === 'later' ? (
          text
        ) : (
          <Badge color={state === 'soon' ? 'yellow' : 'gray'} variant="light" autoContrast tt="none">
            {text}
          </Badge>
        )}
      </time>
    </Tooltip>
  );
}
