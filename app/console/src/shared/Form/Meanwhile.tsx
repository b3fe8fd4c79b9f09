import { Alert, Button, List, Stack, Text } from '@mantine/core';
import { useContext } from 'react';
import type { ReactNode } from 'react';
import { words } from '../words';
import { FormContext } from './context';

interface MeanwhileProps<Fields> {
  /** What is stored now of the fields that both have changed, from `useEdits`. */
  readonly theirs: Partial<Fields>;
  /** The label of each field, and its value in words. */
  readonly describe: { readonly [Name in keyof Fields]: (value: Fields[Name]) => readonly [string, string] };
  readonly onTake: () => void;
}

/** What somebody else has stored meanwhile, beside what was typed. Nothing is shown if no field was changed by both. */
export function Meanwhile<Fields extends object>({
  theirs,
  describe,
  onTake,
}: MeanwhileProps<Fields>): ReactNode {
  // The refusal was about what was typed, which is gone then.
  const { clear } = useContext(FormContext);
  const lines: (readonly [string, string])[] = [];
  for (const name in describe) {
    const value = theirs[name];
    if (value !== undefined) {
      lines.push(describe[name](value));
    }
  }
  if (lines.length === 0) {
    return null;
  }
  return (
    <Alert color="yellow" variant="light" role="status">
      <Stack gap="xs" align="flex-start">
        <Text size="sm">{words.changedMeanwhile}</Text>
        <List size="sm">
          {lines.map(([label, value]) => (
            <List.Item key={label} style={{ overflowWrap: 'anywhere', whiteSpace: 'pre-wrap' }}>
              {label}: {value === '' ? words.none : value}
            </List.Item>
          ))}
        </List>
        <Text size="sm">{words.overwrite}</Text>
        <Button
          size="xs"
          variant="default"
          onClick={() => {
            clear();
            onTake();
          }}
        >
          {words.take}
        </Button>
      </Stack>
    </Alert>
  );
}
