import { CloseButton, Group, TextInput } from '@mantine/core';
import { IconSearch } from '@tabler/icons-react';
import { useEffect, useEffectEvent, useState } from 'react';
import type { ReactNode } from 'react';
import { CsvButton } from './CsvButton';
import { FIRST_PAGE } from './place';
import type { TableProps } from './Table';
import type { TableState } from './useTable';
import { words } from './words';

const SEARCH_AFTER = 300;

interface SearchBoxProps {
  readonly value: string;
  readonly onSearch: (text: string) => void;
}

/** A search that begins when no key was pressed for 300 ms. */
function SearchBox({ value, onSearch }: SearchBoxProps): ReactNode {
  const [text, setText] = useState(value);
  const [lastValue, setLastValue] = useState(value);
  if (lastValue !== value) {
    setLastValue(value);
    setText(value);
  }
  const search = useEffectEvent(onSearch);
  useEffect(() => {
    if (text === value) {
      return undefined;
    }
    const timer = setTimeout(() => search(text), SEARCH_AFTER);
    return () => clearTimeout(timer);
  }, [text, value]);
  return (
    <TextInput
      type="search"
      aria-label={words.search}
      placeholder={words.search}
      leftSection={<IconSearch size={16} aria-hidden />}
      value={text}
      onChange={(event) => setText(event.currentTarget.value)}
      rightSection={
        text === '' ? null : <CloseButton aria-label={words.clearSearch} onClick={() => setText('')} />
      }
      maxLength={200}
    />
  );
}

/** The row above a table: search, filters, CSV. */
export function Toolbar<Row, Sort extends string>(props: TableProps<Row, Sort>): ReactNode {
  const { hasSearch = true, filters, readAll, csvName, columns } = props;
  const table: TableState<Sort> = props.table;
  const hasCsv = readAll !== undefined && csvName !== undefined;
  if (!hasSearch && filters === undefined && !hasCsv) {
    return null;
  }
  return (
    <Group gap="sm" align="flex-end">
      {hasSearch ? (
        <SearchBox
          value={table.place.search}
          onSearch={(text) => table.go({ ...FIRST_PAGE, q: text === '' ? undefined : text })}
        />
      ) : null}
      {filters}
      {hasCsv ? <CsvButton readAll={readAll} name={csvName} columns={columns} /> : null}
    </Group>
  );
}
