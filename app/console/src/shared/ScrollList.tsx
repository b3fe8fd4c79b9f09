import { List } from '@mantine/core';
import type { ListProps } from '@mantine/core';
import type { ReactNode } from 'react';

/** A list that scrolls in its place when it is long. The keyboard reaches it, so that its end can be read. */
export function ScrollList({ style, ...rest }: ListProps & { readonly 'aria-label': string }): ReactNode {
  return <List size="sm" tabIndex={0} style={[{ overflow: 'auto' }, style]} {...rest} />;
}
