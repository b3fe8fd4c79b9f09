import { useNavigate } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useChange } from '../api';
import {
  AreaField,
  Form,
  FormDialog,
  Meanwhile,
  SelectField,
  TextField,
  Unsaved,
  leaving,
  sharedWords,
  useEdits,
  useNotify,
  useValues,
} from '../shared';
import type { Values } from '../shared';
import { CreateGroupMutation, UpdateGroupMutation } from './changes';
import type { GroupData } from './operations';
import { words } from './words';

const MOST = 1_000;
const SEEN_BY = [
  { value: 'MEMBERS', label: words.seenByMembers },
  { value: 'SIGNED_IN', label: words.seenBySignedIn },
] as const;

interface Fields {
  readonly displayName: string;
  readonly description: string;
  readonly membersSeenBy: GroupData['membersSeenBy'];
}

interface GroupFieldsProps<All extends Fields> {
  readonly values: All;
  readonly set: Values<All>['set'];
  readonly isFirst: boolean;
}

function GroupFields<All extends Fields>({ values, set, isFirst }: GroupFieldsProps<All>): ReactNode {
  return (
    <>
      <TextField
        path="displayName"
        label={words.name}
        value={values.displayName}
        onChange={set('displayName')}
        isRequired
        isFirst={isFirst}
      />
      <AreaField
        path="description"
        label={words.description}
        value={values.description}
        onChange={set('description')}
        maxLength={MOST}
      />
      <SelectField
        path="membersSeenBy"
        label={words.seenBy}
        choices={SEEN_BY}
        value={values.membersSeenBy}
        onChange={set('membersSeenBy')}
      />
    </>
  );
}

interface FormProps {
  readonly onClose: () => void;
}

const EMPTY: Fields & { readonly slug: string } = {
  slug: '',
  displayName: '',
  description: '',
  membersSeenBy: 'MEMBERS',
};

/** Creates a group, and leads to its page. */
export function CreateGroup({ onClose }: FormProps): ReactNode {
  const { values, set } = useValues(EMPTY);
  const notify = useNotify();
  const navigate = useNavigate();
  const change = useChange(CreateGroupMutation, {
    payload: (data) => data.createGroup,
    touches: ['Group', 'GroupConnection'],
  });
  const submit = async (): Promise<void> => {
    const outcome = await change.run({ input: values });
    if (outcome.isDone) {
      const slug = outcome.payload.group?.slug ?? values.slug;
      notify({ kind: 'status', text: words.created(values.displayName) });
      onClose();
      await navigate({ to: '/groups/$slug', params: { slug }, ...leaving });
    }
  };
  return (
    <FormDialog onClose={onClose} title={words.create}>
      <Form
        change={change}
        submit={words.create}
        onSubmit={() => void submit()}
        onCancel={onClose}
        label={words.create}
      >
        <TextField
          path="slug"
          label={words.slug}
          description={words.slugHint}
          value={values.slug}
          onChange={set('slug')}
          isRequired
          isFirst
        />
        <GroupFields values={values} set={set} isFirst={false} />
      </Form>
    </FormDialog>
  );
}

const fieldsOf = ({ displayName, description, membersSeenBy }: GroupData): Fields => ({
  displayName,
  description,
  membersSeenBy,
});

interface EditGroupProps extends FormProps {
  readonly group: GroupData;
}

/** Changes a group. If somebody else changed it meanwhile, nothing is written, and both states are shown. */
export function EditGroup({ group, onClose }: EditGroupProps): ReactNode {
  const { values, edits, theirs, take, set, isDirty } = useEdits(fieldsOf(group));
  const notify = useNotify();
  const change = useChange(UpdateGroupMutation, {
    payload: (data) => data.updateGroup,
    touches: ['Group'],
  });
  const submit = async (): Promise<void> => {
    const outcome = await change.run({
      input: { group: { id: group.id }, ifRevision: group.revision, ...edits },
    });
    if (outcome.isDone) {
      notify({ kind: 'status', text: sharedWords.saved });
      onClose();
    }
  };
  return (
    <FormDialog onClose={onClose} title={words.editTitle(group.displayName)}>
      <Unsaved isDirty={isDirty} />
      <Form
        change={change}
        submit={words.save}
        onSubmit={() => void submit()}
        onCancel={onClose}
        isDisabled={!isDirty}
        label={words.edit}
      >
        <Meanwhile
          theirs={theirs}
          onTake={take}
          describe={{
            displayName: (text) => [words.name, text],
            description: (text) => [words.description, text],
            membersSeenBy: (who) => [words.seenBy, SEEN_BY.find(({ value }) => value === who)?.label ?? who],
          }}
        />
        <GroupFields values={values} set={set} isFirst />
      </Form>
    </FormDialog>
  );
}
