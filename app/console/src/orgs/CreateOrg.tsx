import { useNavigate } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useChange } from '../api';
import {
  AreaField,
  Form,
  FormDialog,
  SwitchField,
  TextField,
  leaving,
  useNotify,
  useValues,
} from '../shared';
import { CreateOrgMutation } from './changes';
import { words } from './words';

const EMPTY = { slug: '', name: '', description: '', isPublic: false };
const MOST = 1_000;

/** Creates an organization, and leads to its page. */
export function CreateOrg({ onClose }: { readonly onClose: () => void }): ReactNode {
  const { values, set } = useValues(EMPTY);
  const notify = useNotify();
  const navigate = useNavigate();
  const change = useChange(CreateOrgMutation, {
    payload: (data) => data.createOrg,
    touches: ['Org', 'OrgConnection'],
  });
  const submit = async (): Promise<void> => {
    const outcome = await change.run({ input: values });
    if (outcome.isDone) {
      const { slug } = outcome.payload.org ?? values;
      notify({ kind: 'status', text: words.created(values.name) });
      onClose();
      await navigate({ to: '/organizations/$slug', params: { slug }, ...leaving });
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
        <TextField path="name" label={words.name} value={values.name} onChange={set('name')} isRequired />
        <AreaField
          path="description"
          label={words.description}
          value={values.description}
          onChange={set('description')}
          maxLength={MOST}
        />
        <SwitchField
          path="isPublic"
          label={words.isPublic}
          description={words.isPublicHint}
          value={values.isPublic}
          onChange={set('isPublic')}
        />
      </Form>
    </FormDialog>
  );
}
