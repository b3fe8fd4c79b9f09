import type { ReactNode } from 'react';
import { useLoad } from '../../api';
import { PickGroupsQuery, PickOrgsQuery, PickUsersQuery } from './operations';
import { Picker } from './Picker';
import type { Option } from './options';
import type { PickerProps } from './Picker';
import { words } from './words';

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

interface PersonPickerProps extends Omit<PickerProps, 'label'> {
  /** What the person is here, such as "New owner". */
  readonly label?: string;
  /** How to name a person is not said below the label, where there is no room for it. */
  readonly isBrief?: boolean;
}

/** Picks a person by user name or email address. People whom the viewer sees are suggested by name. */
export function PersonPicker(props: PersonPickerProps): ReactNode {
  const { label = words.person, description, isBrief = false, ...rest } = props;
  const hints = [description, isBrief ? undefined : words.personHint].filter((hint) => hint !== undefined);
  return (
    <Picker
      {...rest}
      label={label}
      {...(hints.length === 0 ? {} : { description: hints.join(' ') })}
      useOptions={useUsers}
    />
  );
}

/** Picks a group by slug. */
export function GroupPicker(props: PickerProps): ReactNode {
  return <Picker {...props} useOptions={useGroups} />;
}

/** Picks an organization by slug. */
export function OrgPicker(props: PickerProps): ReactNode {
  return <Picker {...props} useOptions={useOrgs} />;
}
