import { Stack, Title } from '@mantine/core';
import type { ReactNode } from 'react';
import { useChange } from '../../api';
import {
  Form,
  Hidden,
  Meanwhile,
  StorageBar,
  TextField,
  Unsaved,
  sharedWords,
  useEdits,
  useNotify,
} from '../../shared';
import { AttributesForm } from './AttributesForm';
import { objectOf, quotaOf } from './attributes';
import { PatchUserMetadataMutation } from './changes';
import type { UserDetails } from './operations';
import { storageWords as words } from './words';

const QUOTA_KEY = 'maxStorageMB';

/** Storage with its quota, and the attributes of a user. */
export function AttributesTab({ user }: { readonly user: UserDetails }): ReactNode {
  if (!user.viewerCan.seeDetails) {
    return <Hidden />;
  }
  return (
    <Stack gap="xl" maw={720}>
      <Stack gap="sm">
        <Title order={2} size="h4">
          {words.title}
        </Title>
        {user.storage === null ? <Hidden /> : <StorageBar label={words.title} {...user.storage} />}
        {user.viewerCan.setMetadata ? <QuotaForm user={user} /> : null}
      </Stack>
      <AttributesForm user={user} />
    </Stack>
  );
}

function QuotaForm({ user }: { readonly user: UserDetails }): ReactNode {
  const notify = useNotify();
  const stored = objectOf(user.metadata)[QUOTA_KEY];
  const start = typeof stored === 'number' ? String(stored) : '';
  const { values, theirs, take, set, isDirty, reset } = useEdits({ quota: start });
  const text = values.quota;
  const quota = quotaOf(text);
  const change = useChange(PatchUserMetadataMutation, {
    payload: (data) => data.patchUserMetadata,
    touches: ['Storage', 'User'],
  });
  const submit = async (): Promise<void> => {
    const input = { user: { id: user.id }, ifRevision: user.revision, patch: { [QUOTA_KEY]: quota } };
    const outcome = await change.run({ input });
    if (outcome.isDone) {
      reset(values, values);
      notify({ kind: 'status', text: sharedWords.saved });
    }
  };
  return (
    <Form
      change={change}
      submit={words.save}
      onSubmit={() => void submit()}
      isDisabled={quota === undefined || !isDirty}
      label={words.quota}
    >
      <Unsaved isDirty={isDirty} />
      <Meanwhile theirs={theirs} onTake={take} describe={{ quota: (value) => [words.quota, value] }} />
      <TextField
        path="patch"
        label={words.quota}
        description={words.quotaHint}
        problem={quota === undefined ? words.badQuota : undefined}
        value={text}
        onChange={set('quota')}
      />
    </Form>
  );
}
