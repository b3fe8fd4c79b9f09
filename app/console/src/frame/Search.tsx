import { Combobox, Loader, TextInput, useCombobox } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { IconSearch } from '@tabler/icons-react';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { useLoad, useViewer } from '../api';
import { searchText, useDebounced } from '../shared';
import { FrameSearchQuery } from './operations';
import { hitsOf } from './hits';
import type { Hit } from './hits';
import { words } from './words';

interface HitsProps {
  readonly hits: readonly Hit[];
  /** Whether the last search was not answered. */
  readonly hasFailed: boolean;
}

const WIDE = '(min-width: 768px)';
const KINDS = ['orgs', 'groups', 'resources', 'users'] as const;

/** What was found, by kind. */
function Hits({ hits, hasFailed }: HitsProps): ReactNode {
  if (hits.length === 0) {
    return <Combobox.Empty>{hasFailed ? words.searchFailed : words.nothingFound}</Combobox.Empty>;
  }
  return KINDS.map((kind) => {
    const own = hits.filter((hit) => hit.kind === kind);
    return own.length === 0 ? null : (
      <Combobox.Group key={kind} label={words.searchIn[kind]}>
        {own.map((hit) => (
          <Combobox.Option key={hit.id} value={hit.id}>
            {hit.name}
          </Combobox.Option>
        ))}
      </Combobox.Group>
    );
  });
}

/** The search of the frame. It leads to what was chosen. */
export function Search(): ReactNode {
  const [text, setText] = useState('');
  const search = useDebounced(searchText(text));
  const isAsking = search !== '';
  const load = useLoad(FrameSearchQuery, { search }, { isPaused: !isAsking });
  const combobox = useCombobox({ onDropdownClose: () => combobox.resetSelectedOption() });
  const navigate = useNavigate();
  const hasRoom = useMediaQuery(WIDE, false, { getInitialValueInEffect: false });
  const viewer = useViewer();
  const hits = load.status === 'ready' && isAsking ? hitsOf(load.data, viewer) : [];
  const hasFailed = load.status === 'failed' || (load.status === 'ready' && load.failures.length > 0);
  const isWaiting = isAsking && (load.status === 'loading' || (load.status === 'ready' && load.isRefreshing));

  const follow = (id: string): void => {
    const hit = hits.find((each) => each.id === id);
    setText('');
    combobox.closeDropdown();
    if (hit !== undefined) {
      void navigate({ to: hit.path });
    }
  };
  return (
    <Combobox store={combobox} onOptionSubmit={follow}>
      <Combobox.Target>
        <TextInput
          type="search"
          aria-label={words.search}
          placeholder={hasRoom ? words.search : words.searchBrief}
          leftSection={<IconSearch size={16} aria-hidden />}
          rightSection={isWaiting ? <Loader size={16} /> : null}
          value={text}
          maxLength={200}
          onChange={(event) => {
            setText(event.currentTarget.value);
            combobox.openDropdown();
          }}
          onFocus={() => combobox.openDropdown()}
          onBlur={() => combobox.closeDropdown()}
        />
      </Combobox.Target>
      <Combobox.Dropdown hidden={!isAsking || (load.status !== 'ready' && !hasFailed)}>
        <Combobox.Options mah={400} style={{ overflowY: 'auto' }} aria-label={words.search}>
          <Hits hits={hits} hasFailed={hasFailed} />
        </Combobox.Options>
      </Combobox.Dropdown>
    </Combobox>
  );
}
