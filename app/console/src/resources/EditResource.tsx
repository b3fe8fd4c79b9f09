import type { ReactNode } from 'react';
import { useChange } from '../api';
import { LockNote } from '../locks';
import { AreaField, Form, FormDialog, Meanwhile, TextField, Unsaved, useEdits, useNotify } from '../shared';
import { UpdateResourceMutation } from './changes';
import { parseObject } from './metadata';
import type { ResourceData } from './operations';
import { words } from './words';

interface EditResourceProps {
  readonly resource: ResourceData;
  readonly onClose: () => void;
}

const MOST_CHARACTERS = 1_000;

/** The form for name, description and metadata. */
export function EditResource({ resource, onClose }: EditResourceProps): ReactNode {
  return (
    <FormDialog onClose={onClose} title={words.editTitle} size="lg">
      <EditForm resource={resource} onClose={onClose} />
    </FormDialog>
  );
}

function EditForm({ resource, onClose }: EditResourceProps): ReactNode {
  const { id, revision, name, description } = resource;
  const start = { name, description, metadata: JSON.stringify(resource.metadata, null, 2) };
  const { values, edits, theirs, take, set, isDirty } = useEdits(start);
  const change = useChange(UpdateResourceMutation, {
    payload: (data) => data.updateResource,
    touches: ['Resource'],
  });
  const notify = useNotify();
  const metadata = parseObject(values.metadata);
  const submit = async (): Promise<void> => {
    if (!metadata.isObject) {
      return;
    }
    const changed = edits.metadata === undefined ? {} : { metadata: metadata.value };
    const input = { resource: { id }, ifRevision: revision, ...edits, ...changed };
    const outcome = await change.run({ input });
    if (outcome.isDone) {
      notify({ kind: 'status', text: words.saved });
      onClose();
    }
  };
  return (
    <Form
      change={change}
      submit={words.save}
      onSubmit={() => void submit()}
      onCancel={onClose}
      isDisabled={!metadata.isObject || !isDirty}
    >
      {resource.lock === null ? null : <LockNote lock={resource.lock} />}
      <Meanwhile
        theirs={theirs}
        onTake={take}
        describe={{
          name: (text) => [words.name, text],
          description: (text) => [words.description, text],
          metadata: (text) => [words.metadata, text],
        }}
      />
      <TextField
        path="name"
        label={words.name}
        value={values.name}
        onChange={set('name')}
        isRequired
        isFirst
      />
      <AreaField
        path="description"
        label={words.description}
        value={values.description}
        onChange={set('description')}
        maxLength={MOST_CHARACTERS}
      />
      <AreaField
        path="metadata"
        label={words.metadata}
        description={words.metadataAbout}
        value={values.metadata}
        onChange={set('metadata')}
        problem={metadata.isObject ? undefined : words.badJson}
      />
      <Unsaved isDirty={isDirty} />
    </Form>
  );
}
