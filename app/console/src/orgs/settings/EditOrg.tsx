import { Alert, Button, List, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { useChange } from '../../api';
import {
  AreaField,
  Form,
  SwitchField,
  TextField,
  Unsaved,
  sharedWords,
  useNotify,
  useValues,
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
  const [base, setBase] = useState(org);
  const { values, set, isDirty, reset } = useValues(valuesOf(org));
  const notify = useNotify();
  const change = useChange(UpdateOrgMutation, { payload: (data) => data.updateOrg, touches: ['Org'] });
  const isNewer = org.revision > base.revision;
  const take = (): void => {
    setBase(org);
    reset(valuesOf(org));
    change.clear();
  };
  if (isNewer && !isDirty) {
    take();
  }
  const submit = async (): Promise<void> => {
    const outcome = await change.run({
      input: { org: { id: org.id }, ifRevision: org.revision, ...values },
    });
    if (outcome.isDone) {
      const { org: saved } = outcome.payload;
      setBase((old) => ({ ...old, ...saved }));
      reset(values);
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
      {isNewer && isDirty && !change.isBusy ? <Meanwhile org={org} onTake={take} /> : null}
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

interface MeanwhileProps {
  readonly org: Org;
  readonly onTake: () => void;
}

/** What the organization is now, beside what was typed. */
function Meanwhile({ org, onTake }: MeanwhileProps): ReactNode {
  const { name, description, isPublic } = org;
  return (
    <Alert color="yellow" variant="light" role="status">
      <Stack gap="xs" align="flex-start">
        <Text size="sm">{settingsWords.changedMeanwhile}</Text>
        <List size="sm">
          <List.Item>
            {words.name}: {name}
          </List.Item>
          <List.Item>
            {words.description}: {description === '' ? sharedWords.none : description}
          </List.Item>
          <List.Item>{isPublic ? words.public : words.private}</List.Item>
        </List>
        <Text size="sm">{settingsWords.overwrite}</Text>
        <Button size="xs" variant="default" onClick={onTake}>
          {settingsWords.take}
        </Button>
      </Stack>
    </Alert>
  );
}
