import { ActionIcon, Group, NativeSelect, Text } from '@mantine/core';
import { IconChevronLeft, IconChevronRight, IconChevronsLeft } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { FIRST_PAGE } from './place';
import type { Rows } from './types';
import type { TableState } from './useTable';
import { words } from './words';

/** Keeps the line of the total while it is counted. */
const NO_TOTAL = '\u00a0';

interface PagerProps<Row, Sort extends string> {
  readonly table: TableState<Sort>;
  readonly rows: Rows<Row>;
}

interface StepProps {
  readonly label: string;
  readonly icon: typeof IconChevronLeft;
  readonly isEnabled: boolean;
  readonly onGo: () => void;
}

function Step({ label, icon: Icon, isEnabled, onGo }: StepProps): ReactNode {
  return (
    <ActionIcon variant="default" size="lg" aria-label={label} disabled={!isEnabled} onClick={onGo}>
      <Icon size={18} aria-hidden />
    </ActionIcon>
  );
}

/** First, Previous, Next; the rows per page; the total. */
export function Pager<Row, Sort extends string>({ table, rows }: PagerProps<Row, Sort>): ReactNode {
  const { place, sizes, go } = table;
  const { pageInfo, totalCount } = rows;
  const isFirst = place.after === null && place.before === null;
  const steps: readonly StepProps[] = [
    { label: words.first, icon: IconChevronsLeft, isEnabled: !isFirst, onGo: () => go(FIRST_PAGE) },
    {
      label: words.previous,
      icon: IconChevronLeft,
      isEnabled: !isFirst && pageInfo.hasPreviousPage && pageInfo.startCursor !== null,
      onGo: () => go({ after: undefined, before: pageInfo.startCursor ?? undefined }),
    },
    {
      label: words.next,
      icon: IconChevronRight,
      isEnabled: pageInfo.hasNextPage && pageInfo.endCursor !== null,
      onGo: () => go({ before: undefined, after: pageInfo.endCursor ?? undefined }),
    },
  ];
  return (
    <Group justify="space-between" gap="sm">
      <Text size="sm" role="status">
        {totalCount === null ? NO_TOTAL : words.total(totalCount)}
      </Text>
      <Group gap="xs">
        <NativeSelect
          aria-label={words.rowsPerPage}
          data={sizes.map(String)}
          value={String(place.size)}
          onChange={(event) => go({ ...FIRST_PAGE, size: event.currentTarget.value })}
        />
        {steps.map((step) => (
          <Step key={step.label} {...step} />
        ))}
      </Group>
    </Group>
  );
}
