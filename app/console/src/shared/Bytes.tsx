import { Tooltip } from '@mantine/core';
import type { ReactNode } from 'react';
import { exactBytes, shortBytes } from './bytes';

/** A size in binary units, with the exact number on hover and focus. */
export function Bytes({ value }: { readonly value: number }): ReactNode {
  return (
    <Tooltip label={exactBytes(value)} events={{ hover: true, focus: true, touch: true }}>
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- the exact number opens on focus */}
      <span tabIndex={0} style={{ whiteSpace: 'nowrap' }}>
        {shortBytes(value)}
      </span>
    </Tooltip>
  );
}
