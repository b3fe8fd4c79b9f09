import { Autocomplete, TextInput } from '@mantine/core';
import { useEffect, useEffectEvent, useState } from 'react';
import type { ReactNode } from 'react';
import { PersonPicker } from '../shared';
import type { TableState } from '../shared';
import { ACTIONS, actionWords } from './actions';
import { ObjectFilter } from './ObjectFilter';
import { words } from './words';

const AFTER = 300;
const LABELS = [...new Set([...ACTIONS, ...Object.keys(words.actions)])].map(actionWords).sort();

interface AuditFiltersProps {
  readonly table: TableState<'CREATED_AT'>;
}

/** The filters: who, what, from day to day, and one object. All are in the address. */
export function AuditFilters({ table }: AuditFiltersProps): ReactNode {
  const { filter, setFilter } = table;
  return (
    <>
      <Delayed value={filter('who') ?? ''} onChange={(text) => setFilter('who', text || undefined)}>
        {(text, setText) => (
          <PersonPicker path="who" label={words.filterWho} value={text} onChange={setText} isBrief />
        )}
      </Delayed>
      <Delayed value={filter('what') ?? ''} onChange={(text) => setFilter('what', text || undefined)}>
        {(text, setText) => (
          <Autocomplete
            label={words.filterWhat}
            data={LABELS}
            limit={20}
            value={text}
            onChange={setText}
            autoComplete="off"
          />
        )}
      </Delayed>
      <Day label={words.filterFrom} name="from" table={table} />
      <Day label={words.filterTo} name="to" table={table} />
      <ObjectFilter value={filter('object')} onChange={(id) => setFilter('object', id)} />
    </>
  );
}

interface DayProps extends AuditFiltersProps {
  readonly label: string;
  readonly name: 'from' | 'to';
}

function Day({ label, name, table }: DayProps): ReactNode {
  return (
    <TextInput
      type="date"
      label={label}
      value={table.filter(name) ?? ''}
      onChange={(event) => table.setFilter(name, event.currentTarget.value || undefined)}
    />
  );
}

interface DelayedProps {
  readonly value: string;
  readonly onChange: (text: string) => void;
  readonly children: (text: string, setText: (text: string) => void) => ReactNode;
}

/** Holds what is typed, and tells it when no key was pressed for 300 ms. */
function Delayed({ value, onChange, children }: DelayedProps): ReactNode {
  const [text, setText] = useState(value);
  const [lastValue, setLastValue] = useState(value);
  if (lastValue !== value) {
    setLastValue(value);
    setText(value);
  }
  const tell = useEffectEvent(onChange);
  useEffect(() => {
    if (text === value) {
      return undefined;
    }
    const timer = setTimeout(() => tell(text), AFTER);
    return () => clearTimeout(timer);
  }, [text, value]);
  return children(text, setText);
}
