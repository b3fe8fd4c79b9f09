import { Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { useChange } from '../../api';
import {
  Form,
  Meanwhile,
  StorageBar,
  TextField,
  Unsaved,
  sharedWords,
  useEdits,
  useNotify,
} from '../../shared';
import { SetOrgQuotaMutation } from '../changes';
import type { Org } from '../operations';
import { settingsWords as words } from '../words';
import { fromMegabytes, toMegabytes } from './quota';

interface OrgQuotaProps {
  readonly org: Pick<Org, 'id' | 'revision'>;
  readonly storage: NonNullable<Org['storage']>;
  readonly mayChange: boolean;
}

/** Used storage, and the quota of the organization itself. */
export function OrgQuota({ org, storage, mayChange }: OrgQuotaProps): ReactNode {
  const { usedBytes, quotaBytes } = storage;
  return (
    <>
      <StorageBar label={words.used} usedBytes={usedBytes} quotaBytes={quotaBytes} />
      {quotaBytes === null ? <Text size="sm">{words.noQuota}</Text> : null}
      {mayChange ? <QuotaForm org={org} quotaBytes={quotaBytes} /> : null}
    </>
  );
}

interface QuotaFormProps {
  readonly org: Pick<Org, 'id' | 'revision'>;
  readonly quotaBytes: number | null;
}

function QuotaForm({ org, quotaBytes }: QuotaFormProps): ReactNode {
  const start = toMegabytes(quotaBytes);
  const { values, theirs, take, set, isDirty, reset } = useEdits({ quota: start });
  const text = values.quota;
  const notify = useNotify();
  const change = useChange(SetOrgQuotaMutation, { payload: (data) => data.setOrgQuota, touches: ['Org'] });
  const bytes = fromMegabytes(text);
  const submit = async (): Promise<void> => {
    const quota = bytes === null ? { clear: true } : { quotaBytes: bytes ?? 0 };
    const outcome = await change.run({ input: { org: { id: org.id }, ifRevision: org.revision, ...quota } });
    if (outcome.isDone) {
      reset(values, values);
      notify({ kind: 'status', text: sharedWords.saved });
    }
  };
  return (
    <Form
      change={change}
      submit={words.saveQuota}
      onSubmit={() => void submit()}
      isDisabled={!isDirty || bytes === undefined}
      label={words.quota}
    >
      <Meanwhile theirs={theirs} onTake={take} describe={{ quota: (value) => [words.quotaUnit, value] }} />
      <TextField
        path="quotaBytes"
        label={words.quotaUnit}
        description={words.quotaHint}
        problem={bytes === undefined ? words.badQuota : undefined}
        value={text}
        onChange={set('quota')}
      />
      <Unsaved isDirty={isDirty} />
    </Form>
  );
}
