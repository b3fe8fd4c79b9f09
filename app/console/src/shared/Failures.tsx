import { Alert, Button, Code, CopyButton, Group, Stack, Text } from '@mantine/core';
import { IconAlertCircle } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { useSession } from '../api';
import type { Failure } from '../api';
import { words } from './words';

function FailureText({ failure }: { readonly failure: Failure }): ReactNode {
  if (failure.kind !== 'internal' || failure.errorId === null) {
    return <Text size="sm">{failure.message}</Text>;
  }
  const { errorId } = failure;
  return (
    <Group gap="xs">
      <Text size="sm">{failure.message}</Text>
      <Code>{errorId}</Code>
      <CopyButton value={errorId}>
        {({ copied, copy }) => (
          <Button size="compact-xs" variant="default" onClick={copy}>
            {copied ? words.copied : words.copyId}
          </Button>
        )}
      </CopyButton>
    </Group>
  );
}

interface FailuresProps {
  readonly failures: readonly Failure[];
  /** Read again. */
  readonly onAgain?: () => void;
}

/** Errors that belong to no field, read out at once. That a session had ended is not said after a new sign-in. */
export function Failures({ failures: all, onAgain }: FailuresProps): ReactNode {
  const isSignedIn = useSession().status === 'signedIn';
  const failures = isSignedIn ? all.filter(({ kind }) => kind !== 'signedOut') : all;
  if (failures.length === 0) {
    return null;
  }
  return (
    <Alert color="red" variant="light" icon={<IconAlertCircle aria-hidden />} role="alert">
      <Stack gap="xs" align="flex-start">
        {failures.map((failure, index) => (
          <FailureText key={index} failure={failure} />
        ))}
        {onAgain === undefined ? null : (
          <Button size="xs" variant="default" onClick={onAgain}>
            {words.tryAgain}
          </Button>
        )}
      </Stack>
    </Alert>
  );
}
