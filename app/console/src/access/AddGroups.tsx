import { Button, Group, Stack, Switch, Text } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { useEffect, useRef, useState } from 'react';
import type { ReactNode } from 'react';
import { useLoad } from '../api';
import { FormDialog, Loaded, Table, useEditedNote, useTable } from '../shared';

import { PickGroupsForAccessQuery } from './operations';
import type { PickedGroup } from './operations';
import type { GroupSubject } from './subjects';
import classes from './AddGroups.module.css';
import { words } from './words';

interface AddGroupsProps {
  /** Whether a group is in the draft already. */
  readonly isThere: (id: string) => boolean;
  readonly onAdd: (groups: readonly GroupSubject[]) => void;
  readonly isDisabled: boolean;
}

const SIZES = [10, 20, 50] as const;
const SORTS = ['DISPLAY_NAME', 'CREATED_AT'] as const;

/** The button that opens the picker. */
export function AddGroups({ isThere, onAdd, isDisabled }: AddGroupsProps): ReactNode {
  const [isOpen, setIsOpen] = useState(false);
  const close = (): void => setIsOpen(false);
  return (
    <>
      <Button
        variant="default"
        leftSection={<IconPlus size={16} aria-hidden />}
        disabled={isDisabled}
        onClick={() => setIsOpen(true)}
      >
        {words.addGroup}
      </Button>
      <FormDialog isOpen={isOpen} onClose={close} title={words.addGroupTitle} size="xl">
        <GroupList isThere={isThere} onAdd={onAdd} onClose={close} />
      </FormDialog>
    </>
  );
}

const toSubject = ({ id, slug, displayName, description, memberCount }: PickedGroup): GroupSubject => ({
  kind: 'group',
  id,
  slug,
  name: displayName,
  description,
  memberCount,
});

const COLUMNS = [
  {
    key: 'name',
    label: words.name,
    sort: 'DISPLAY_NAME',
    cell: ({ displayName }: PickedGroup) => displayName,
  },
  { key: 'description', label: words.description, cell: ({ description }: PickedGroup) => description },
  { key: 'members', label: words.members, cell: ({ memberCount }: PickedGroup) => memberCount },
  {
    key: 'membership',
    label: words.membership,
    cell: ({ viewerIsMember }: PickedGroup) => (viewerIsMember ? words.member : words.notMember),
  },
] as const;

type ListProps = Pick<AddGroupsProps, 'isThere' | 'onAdd'> & { readonly onClose: () => void };

/** All groups, page by page. Ticks stay over pages; groups of the draft are ticked and fixed. */
function GroupList({ isThere, onAdd, onClose }: ListProps): ReactNode {
  const table = useTable({
    keeping: 'memory',
    sizes: SIZES,
    sorts: SORTS,
    sort: 'DISPLAY_NAME',
  });
  const isMine = table.filter('mine') === 'yes';
  const filter = {
    ...(table.search === null ? {} : { search: table.search }),
    ...(isMine ? { viewerBelongs: true } : {}),
  };
  const load = useLoad(PickGroupsForAccessQuery, { ...table.variables, filter });
  const seen = useRef(new Map<string, PickedGroup>());
  useEffect(() => {
    if (load.status === 'ready') {
      load.data.groups.nodes.forEach((group) => seen.current.set(group.id, group));
    }
  }, [load]);
  const { items } = table.selection;
  useEditedNote(items.map(({ id }) => id).join());
  const add = (): void => {
    onAdd(items.flatMap(({ id }) => seen.current.get(id) ?? []).map(toSubject));
    onClose();
  };
  return (
    <Stack>
      <Switch
        label={words.onlyMine}
        checked={isMine}
        onChange={(event) => table.setFilter('mine', event.currentTarget.checked ? 'yes' : undefined)}
      />
      <div className={classes['list'] ?? ''}>
        <Loaded load={load}>
          {({ groups }) => (
            <Table
              label={words.addGroupTitle}
              table={table}
              rows={groups}
              isRefreshing={load.status === 'ready' && load.isRefreshing}
              isSelectable
              rowId={({ id }) => id}
              rowName={({ displayName }) => displayName}
              fixedTick={({ id }) => (isThere(id) ? true : undefined)}
              columns={COLUMNS}
              empty={<Text>{words.noGroupsYet}</Text>}
            />
          )}
        </Loaded>
      </div>
      <Group justify="flex-end">
        <Text size="sm">{words.selected(items.length)}</Text>
        <Button variant="default" onClick={onClose}>
          {words.cancel}
        </Button>
        <Button disabled={items.length === 0} onClick={add}>
          {words.add}
        </Button>
      </Group>
    </Stack>
  );
}
