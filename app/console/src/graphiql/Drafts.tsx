import { Button, SegmentedControl, Stack, Text, TextInput } from '@mantine/core';
import { useGraphiQL } from '@graphiql/react';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { draftOf, rootFields } from './draft';
import type { RootKind } from './draft';
import { words } from './words';

const MOST = 12;
const KINDS = [
  { value: 'query', label: words.kinds.query },
  { value: 'mutation', label: words.kinds.mutation },
];

interface DraftsProps {
  /** Null until the editors are loaded. */
  readonly onOpen: ((query: string, variables: string) => void) | null;
}

/** Drafts an operation for any root field of the schema. */
export function Drafts({ onOpen }: DraftsProps): ReactNode {
  const schema = useGraphiQL((state) => state.schema);
  const [kind, setKind] = useState<RootKind>('query');
  const [search, setSearch] = useState('');
  if (schema === null || schema === undefined) {
    return <Text size="sm">{words.noSchema}</Text>;
  }
  const searched = search.trim().toLowerCase();
  const matches = rootFields(schema, kind).filter(({ name }) => name.toLowerCase().includes(searched));
  return (
    <Stack gap="xs">
      <Text size="sm">{words.draftsText}</Text>
      <SegmentedControl
        size="xs"
        data={KINDS}
        value={kind}
        onChange={(value) => setKind(value === 'mutation' ? 'mutation' : 'query')}
      />
      <TextInput
        type="search"
        size="xs"
        aria-label={words.search}
        placeholder={words.search}
        value={search}
        onChange={(event) => setSearch(event.currentTarget.value)}
      />
      {matches.slice(0, MOST).map((field) => (
        <Button
          key={field.name}
          size="compact-xs"
          variant="subtle"
          justify="flex-start"
          disabled={onOpen === null}
          onClick={() => {
            const { query, variables } = draftOf(kind, field);
            onOpen?.(query, variables);
          }}
        >
          {field.name}
        </Button>
      ))}
      {matches.length > MOST ? <Text size="xs">{words.more(matches.length - MOST)}</Text> : null}
    </Stack>
  );
}
