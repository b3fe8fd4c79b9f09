import { Group, Paper, Text } from '@mantine/core';
import { IconInfoCircle } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import classes from './Banner.module.css';

interface BannerProps {
  readonly text: ReactNode;
  /** Buttons and links at its end. */
  readonly actions?: ReactNode;
  /** Further lines below. */
  readonly children?: ReactNode;
  /** Stay in sight at the top while the page scrolls. */
  readonly isSticky?: boolean;
}

/** A bar with what holds for the whole page, such as unsaved changes. */
export function Banner({ text, actions, children, isSticky = false }: BannerProps): ReactNode {
  return (
    <Paper
      withBorder
      p="sm"
      className={`${classes['banner'] ?? ''} ${isSticky ? (classes['sticky'] ?? '') : ''}`}
    >
      <Group justify="space-between" gap="sm">
        <Group gap="xs" wrap="nowrap" role="status">
          <IconInfoCircle size={20} aria-hidden className={classes['icon'] ?? ''} />
          <Text component="div" size="sm">
            {text}
          </Text>
        </Group>
        {actions === undefined ? null : <Group gap="xs">{actions}</Group>}
      </Group>
      {children}
    </Paper>
  );
}
