import { Progress, Stack, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { Bytes } from './Bytes';
import { shortBytes } from './bytes';
import { words } from './words';

interface StorageBarProps {
  readonly label: string;
  readonly usedBytes: number;
  /** Null for no limit. */
  readonly quotaBytes: number | null;
}

const FULL = 100;
const NEARLY_FULL = 90;

/** Used storage of a quota, as a bar and in words. */
export function StorageBar({ label, usedBytes, quotaBytes }: StorageBarProps): ReactNode {
  const percent = quotaBytes === null ? 0 : quotaBytes === 0 ? FULL : (usedBytes / quotaBytes) * FULL;
  const total = quotaBytes === null ? null : shortBytes(quotaBytes);
  const used = shortBytes(usedBytes);
  return (
    <Stack gap={2}>
      <Text span size="xs">
        {label}: <Bytes value={usedBytes} />
        {quotaBytes === null ? null : (
          <>
            {' of '}
            <Bytes value={quotaBytes} />
          </>
        )}
      </Text>
      {total === null ? null : (
        <Progress.Root size="sm">
          <Progress.Section
            value={Math.min(percent, FULL)}
            color={percent >= NEARLY_FULL ? 'red' : 'blue'}
            aria-label={label}
            aria-valuetext={words.quota(used, total)}
          />
        </Progress.Root>
      )}
    </Stack>
  );
}
