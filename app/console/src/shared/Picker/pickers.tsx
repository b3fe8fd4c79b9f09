import type { ReactNode } from 'react';
import { useLoad } from '../../api';
import { PickGroupsQuery, PickOrgsQuery, PickUsersQuery } from './operations';
import { Picker } from './Picker';
import type { Option, PickerProps } from './Picker';

const NOTHING: readonly Option[] = [];

function useUsers(search: string): readonly Option[] {
  const load = useLoad(PickUsersQuery, { search }, { isPaused: search === '' });
  return load.status !== 'ready' || search === ''
    ? NOTHING
    : load.data.users.nodes.map(({ userName, displayName }) => ({
        value: userName,
        label: displayName ?? userName,
      }));
}

function useGroups(search: string): readonly Option[] {
  const load = useLoad(PickGroupsQuery, { search }, { isPaused: search === '' });
  return load.status !== 'ready' || search === ''
    ? NOTHING
    : load.data.groups.nodes.map(({ slug, displayName }) => ({ value: slug, label: displayName }));
}

function useOrgs(search: string): readonly Option[] {
  const load = useLoad(PickOrgsQuery, { search }, { isPaused: search === '' });
  return load.status !== 'ready' || search === ''
    ? NOTHING
    : load.data.orgs.nodes.map(({ slug, name }) => ({ value: slug, label: name }));
}

/** Picks a person by user name. People whom the viewer sees are suggested. */
export function PersonPicker(props: PickerProps): ReactNode {
  return <Picker {...props} useOptions={useUsers} />;
}

/** Picks a group by slug. */
export function GroupPicker(props: PickerProps): ReactNode {
  return <Picker {...props} useOptions={useGroups} />;
}

/** Picks an organization by slug. */
export function OrgPicker(props: PickerProps): ReactNode {
  return <Picker {...props} useOptions={useOrgs} />;
}
