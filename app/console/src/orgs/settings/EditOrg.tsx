import type { ReactNode } from 'react';
import { useChange } from '../../api';
import {
  AreaField,
  Form,
  Meanwhile,
  SwitchField,
  TextField,
  Unsaved,
  sharedWords,
  useEdits,
  useNotify,
} from '../../shared';
import { UpdateOrgMutation } from '../changes';
import type { Org } from '../operations';
import { settingsWords, words } from '../words';

const MOST = 1_000;
const valuesOf = ({ name, description, isPublic }: Org) => ({ name, description, isPublic });

/**
 * Name, description and visibility. The revision that was read goes along: if somebody else has changed the
 * organization since then, nothing is written, and both states are shown.
 */
export function EditOrg({ org }: { readonly org: Org }): ReactNode {
  const { values, edits, theirs, take, set, isDirty, reset } = useEdits(valuesOf(org));
  const notify = useNotify();
  const change = useChange(UpdateOrgMutation, { payload: (data) => data.updateOrg, touches: ['Org'] });
  const submit = async (): Promise<void> => {
    const outcome = await change.run({
      input: { org: { id: org.id }, ifRevision: org.revision, ...edits },
    });
    if (outcome.isDone) {
      reset(values, values);
      notify({ kind: 'status', text: sharedWords.saved });
    }
  };
  return (
    <Form
      change={change}
      submit={settingsWords.save}
      onSubmit={() => void submit()}
      isDisabled={!isDirty}
      label={settingsWords.edit}
    >
      <Unsaved isDirty={isDirty} />
      <Meanwhile
        theirs={theirs}
        onTake={take}
        describe={{
          name: (text) => [words.name, text],
          description: (text) => [words.description, text],
          isPublic: (isPublic) => [words.visibility, isPublic ? words.public : words.private],
        }}
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
  );
}
