import { Button, Select } from '@mantine/core';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { useLoad } from '../api';
import { isolated, searchText, useDebounced } from '../shared';
import { choicesOf, nameOf } from './objects';
import { AuditObjectQuery, AuditObjectsQuery } from './operations';
import { words } from './words';

interface ObjectFilterProps {
  /** The id of an object, which may be deleted. */
  readonly value: string | undefined;
  readonly onChange: (id: string | undefined) => void;
}

/** Chooses the object whose changes are listed. What is typed is looked for in the names of all kinds of objects. */
export function ObjectFilter({ value, onChange }: ObjectFilterProps): ReactNode {
  const current = useLoad(AuditObjectQuery, { id: value ?? '' }, { isPaused: value === undefined });
  const name = current.status === 'ready' ? nameOf(current.data.node) : null;
  const label = current.status === 'loading' ? '' : isolated(name ?? words.goneObject);
  const [text, setText] = useState('');
  const search = useDebounced(searchText(text));
  const isAsking = search !== '' && (value === undefined || search !== label);
  const matches = useLoad(AuditObjectsQuery, { search }, { isPaused: !isAsking });
  const groups = isAsking && matches.status === 'ready' ? choicesOf(matches.data, value) : [];
  const own = value === undefined ? [] : [{ value, label }];
  return (
    <>
      <Select
        label={words.filterObject}
        placeholder={words.anyObject}
        searchable
        data={[...own, ...groups]}
        filter={({ options }) => options}
        value={value ?? null}
        searchValue={text}
        onSearchChange={setText}
        onChange={(id) => onChange(id ?? undefined)}
        {...(isAsking && matches.status === 'ready' ? { nothingFoundMessage: words.noObject } : {})}
      />
      {value === undefined ? null : (
        <Button variant="default" onClick={() => onChange(undefined)}>
          {words.clearObject}
        </Button>
      )}
    </>
  );
}
