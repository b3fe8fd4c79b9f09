import { Anchor } from '@mantine/core';
import { Fragment } from 'react';
import type { ReactNode } from 'react';
import { linkParts } from './links';

/** A text from data in which http, https and mailto addresses are links. */
export function LinkedText({ text }: { readonly text: string }): ReactNode {
  return linkParts(text).map((part, index) =>
    part.href === null ? (
      <Fragment key={index}>{part.text}</Fragment>
    ) : (
      <Anchor key={index} href={part.href} rel="noopener noreferrer" inherit underline="always">
        {part.text}
      </Anchor>
    ),
  );
}
