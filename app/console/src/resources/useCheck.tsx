import { Button, Group, List, Stack, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { useClient } from 'urql';
import { outcomeOf } from '../api';
import type { ResourceRole } from '../api';
import { bulkWords, checkedOf, useBulk, useChecked } from '../shared';
import type { Selected } from '../shared';
import { GrantAccessBatchMutation } from './changes';

type Subject =
  { readonly group: { readonly slug: string } } | { readonly user: { readonly userName: string } };

interface Grant {
  readonly subject: Subject;
  readonly roles: ResourceRole[];
  readonly expiresAt: string | null;
}

interface Check {
  /** The resources on which the grant was tried, and would work. */
  readonly good: readonly Selected[];
  readonly isChecked: boolean;
  readonly isChecking: boolean;
  readonly check: () => Promise<void>;
  /** What came of it, in words. */
  readonly report: ReactNode;
}

/** Try a grant on each resource without writing. One by one, so that each refusal has its resource. */
export function useCheck(items: readonly Selected[], grant: Grant): Check {
  const client = useClient();
  const { isChecked, setChecked } = useChecked(grant);
  const { states, start, stop, isRunning } = useBulk(async ({ id }) => {
    const input = { grants: [{ resource: { id }, ...grant }], validateOnly: true };
    const result = await client.mutation(GrantAccessBatchMutation, { input }).toPromise();
    return outcomeOf(result, (data) => data.grantAccessBatch);
  });
  const check = async (): Promise<void> => {
    if (await start(items)) {
      setChecked();
    }
  };
  const { good, refused } = checkedOf(items, states);
  const tried = isChecked ? bulkWords.checked(good.length, items.length) : bulkWords.checkFirst;
  const report = (
    <Stack gap="xs">
      <Group gap="xs">
        <Text size="sm" role="status">
          {isRunning ? bulkWords.checking(good.length + refused.length, items.length) : tried}
        </Text>
        {isRunning ? (
          <Button size="xs" variant="default" onClick={stop}>
            {bulkWords.stop}
          </Button>
        ) : null}
      </Group>
      {isChecked && refused.length > 0 ? (
        <List size="sm">
          {refused.map(({ item, message }) => (
            <List.Item key={item.id}>
              {item.name}: {message}
            </List.Item>
          ))}
        </List>
      ) : null}
    </Stack>
  );
  return { good, isChecked, isChecking: isRunning, check, report };
}
