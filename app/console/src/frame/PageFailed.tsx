import { Button, Stack, Text } from '@mantine/core';
import { useEffect, useState } from 'react';
import type { ReactNode } from 'react';
import { useOnline } from '../api';
import { Page } from '../shared';
import { words } from './words';

/** Stands for a page whose code failed or could not be loaded. */
export function PageFailed(): ReactNode {
  const [wasOffline] = useState(() => !navigator.onLine);
  const isOnline = useOnline();
  useEffect(() => {
    if (wasOffline && isOnline) {
      window.location.reload();
    }
  }, [wasOffline, isOnline]);
  return (
    <Page title={words.failedTitle}>
      <Stack align="flex-start">
        <Text role="alert">{isOnline ? words.failed : words.failedOffline}</Text>
        <Button variant="default" onClick={() => window.location.reload()}>
          {words.reload}
        </Button>
      </Stack>
    </Page>
  );
}
