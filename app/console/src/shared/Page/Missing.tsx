import { Stack, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { LinkTo } from '../LinkTo';
import { words } from '../words';

/** Stands for an object that is not there, or hidden: the answer of the API is the same. */
export function Missing({ text = words.missing }: { readonly text?: string }): ReactNode {
  return (
    <Stack align="flex-start">
      <Text>{text}</Text>
      <LinkTo to="/">{words.toStart}</LinkTo>
    </Stack>
  );
}
