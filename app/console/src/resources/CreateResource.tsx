import { useNavigate } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useChange, useLoad } from '../api';
import {
  AreaField,
  Form,
  FormDialog,
  Loaded,
  OrgPicker,
  SelectField,
  TextField,
  leaving,
  useNotify,
  useValues,
} from '../shared';
import { CreateResourceMutation } from './changes';
import { CreateResourceQuery } from './operations';
import type { TypeRow } from './operations';
import { words } from './words';

interface CreateResourceProps {
  readonly types: readonly Pick<TypeRow, 'name' | 'label' | 'description'>[];
  /** The slug of the organization that the form has at first. */
  readonly org?: string;
  readonly onClose: () => void;
}

const MOST_CHARACTERS = 1_000;

/** The form of a new resource. Then its page opens. */
export function CreateResource(props: CreateResourceProps): ReactNode {
  return (
    <FormDialog onClose={props.onClose} title={words.createTitle}>
      <CreateForm {...props} />
    </FormDialog>
  );
}

/** The same in an organization. It reads the types itself. */
export function CreateResourceIn({ org, onClose }: Required<Omit<CreateResourceProps, 'types'>>): ReactNode {
  const load = useLoad(CreateResourceQuery, {});
  return (
    <FormDialog onClose={onClose} title={words.createTitle}>
      <Loaded load={load}>
        {({ resourceTypes }) => <CreateForm types={resourceTypes.nodes} org={org} onClose={onClose} />}
      </Loaded>
    </FormDialog>
  );
}

function CreateForm({ types, org = '', onClose }: CreateResourceProps): ReactNode {
  const { values, set } = useValues({
    org,
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
