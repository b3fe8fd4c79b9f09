import { Button, Group, List, Stack, Text } from '@mantine/core';
import { useRef } from 'react';
import type { ReactNode } from 'react';
import { useClient } from 'urql';
import { outcomeOf } from '../api';
import type { ResourceRole } from '../api';
import { bulkWords, checkedOf, useBulk, useChecked } from '../shared';
import type { Selected } from '../shared';
import { GrantAccessBatchMutation } from './changes';

export type Subject =
  { readonly group: { readonly slug: string } } | { readonly user: { readonly userName: string } };

interface Grant {
  readonly roles: ResourceRole[];
  readonly expiresAt: string | null;
}

interface Check {
  /** The resources on which the grant was tried, and would work. */
  readonly good: readonly Selected[];
  readonly isChecked: boolean;
  readonly isChecking: boolean;
  /** Try it for a subject; the grants are for the subject that was tried last. */
  readonly check: (subject: Subject) => Promise<void>;
  /** Return the grants to send: one for each good resource. */
  readonly grants: () => readonly (Grant & {
    readonly resource: { readonly id: string };
    readonly subject: Subject;
  })[];
  /** What came of it, in words. */
  readonly report: ReactNode;
}

/**
 * Try a grant on each resource without writing. One by one, so that each refusal has its resource. The key stands for
 * the subject as it was typed: another key is not checked yet.
 */
export function useCheck(items: readonly Selected[], grant: Grant, key: string): Check {
  const client = useClient();
  const { isChecked, setChecked } = useChecked({ grant, key });
  const tried = useRef<Subject | null>(null);
  const grantOf = (id: string, subject: Subject) => ({ resource: { id }, subject, ...grant });
  const { states, start, stop, isRunning } = useBulk(async ({ id }) => {
    const grants = tried.current === null ? [] : [grantOf(id, tried.current)];
    const input = { grants, validateOnly: true };
    const result = await client.mutation(GrantAccessBatchMutation, { input }).toPromise();
    return outcomeOf(result, (data) => data.grantAccessBatch);
  });
  const check = async (subject: Subject): Promise<void> => {
    tried.current = subject;
    if (await start(items)) {
      setChecked();
    }
  };
  const { good, refused } = checkedOf(items, states);
  const summary = isChecked ? bulkWords.checked(good.length, items.length) : bulkWords.checkFirst;
  const report = (
    <Stack gap="xs">
      <Group gap="xs">
        <Text size="sm" role="status">
          {isRunning ? bulkWords.checking(good.length + refused.length, items.length) : summary}
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
  const grants = () => {
    const subject = tried.current;
    return subject === null ? [] : good.map(({ id }) => grantOf(id, subject));
  };
  return { good, isChecked, isChecking: isRunning, check, grants, report };
}
