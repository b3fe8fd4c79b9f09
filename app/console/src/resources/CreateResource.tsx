import { useNavigate } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useChange } from '../api';
import {
  AreaField,
  Form,
  FormDialog,
  OrgPicker,
  SelectField,
  TextField,
  leaving,
  useNotify,
  useValues,
} from '../shared';
import { CreateResourceMutation } from './changes';
import type { TypeRow } from './operations';
import { words } from './words';

interface CreateResourceProps {
  readonly types: readonly TypeRow[];
  readonly onClose: () => void;
}

const MOST_CHARACTERS = 1_000;

/** The form of a new resource. Then its page opens. */
export function CreateResource({ types, onClose }: CreateResourceProps): ReactNode {
  return (
    <FormDialog onClose={onClose} title={words.createTitle}>
      <CreateForm types={types} onClose={onClose} />
    </FormDialog>
  );
}

function CreateForm({ types, onClose }: CreateResourceProps): ReactNode {
  const { values, set } = useValues({
    org: '',
    type: types[0]?.name ?? '',
    name: '',
    slug: '',
    description: '',
  });
  const change = useChange(CreateResourceMutation, { payload: (data) => data.createResource });
  const navigate = useNavigate();
  const notify = useNotify();
  const submit = async (): Promise<void> => {
    const outcome = await change.run({ input: { ...values, org: { slug: values.org.trim() } } });
    if (outcome.isDone) {
      notify({ kind: 'status', text: words.created(values.name) });
      const id = outcome.payload.resource?.id;
      onClose();
      if (id !== undefined) {
        await navigate({ to: '/resources/$id', params: { id }, ...leaving });
      }
    }
  };
  const type = types.find(({ name }) => name === values.type);
  return (
    <Form change={change} submit={words.create} onSubmit={() => void submit()} onCancel={onClose}>
      <TextField
        path="name"
        label={words.name}
        value={values.name}
        onChange={set('name')}
        isRequired
        isFirst
      />
      <TextField
        path="slug"
        label={words.slug}
        description={words.slugAbout}
        value={values.slug}
        onChange={set('slug')}
        isRequired
      />
      <SelectField
        path="type"
        label={words.type}
        description={type?.description ?? ''}
        value={values.type}
        onChange={set('type')}
        choices={types.map(({ name, label }) => ({ value: name, label }))}
      />
      <OrgPicker
        path="org"
        label={words.org}
        description={words.orgAbout}
        value={values.org}
        onChange={set('org')}
        isRequired
      />
      <AreaField
        path="description"
        label={words.description}
        value={values.description}
        onChange={set('description')}
        maxLength={MOST_CHARACTERS}
      />
    </Form>
  );
}
