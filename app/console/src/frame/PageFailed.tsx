import { Button, Stack, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { Page } from '../shared';
import { words } from './words';

/** Stands for a page whose code failed or could not be loaded. */
export function PageFailed(): ReactNode {
  return (
    <Page title={words.failedTitle}>
      <Stack align="flex-start">
        <Text role="alert">{words.failed}</Text>
        <Button variant="default" onClick={() => window.location.reload()}>
          {words.reload}
        </Button>
      </Stack>
    </Page>
  );
}
