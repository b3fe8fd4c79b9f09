import { SegmentedControl, Text } from '@mantine/core';
import { useMemo, useState } from 'react';
import type { ReactNode } from 'react';
import { RoleSwitches } from '../access';
import type { RoleInfo } from '../access';
import { useChange } from '../api';
import type { ResourceRole } from '../api';
import {
  EndsField,
  Form,
  FormDialog,
  GroupPicker,
  PersonPicker,
  bulkWords,
  useEditedNote,
  useFindPerson,
  useNotify,
} from '../shared';
import type { Selected } from '../shared';
import { namedFailures } from './batch';
import { GrantAccessBatchMutation } from './changes';
import { useCheck } from './useCheck';
import type { Subject } from './useCheck';
import { words } from './words';

interface BulkGrantProps {
  readonly items: readonly Selected[];
  readonly roles: readonly RoleInfo[];
  readonly onClose: () => void;
}

interface Entry {
  readonly roles: ReadonlySet<ResourceRole>;
  readonly expiresAt: string | null;
}

const NO_ROLES: Entry = { roles: new Set(), expiresAt: null };
const GROUP = 'group';

/** Return the group or person that was typed; null for a person whom `find` does not find. */
async function subjectOf(
  kind: string,
  text: string,
  find: (typed: string) => Promise<string | null>,
): Promise<Subject | null> {
  if (kind === GROUP) {
    return { group: { slug: text } };
  }
  const userName = await find(text);
  return userName === null ? null : { user: { userName } };
}

/** Grants roles on several resources at once, to one group or person: first tried without writing, then done. */
export function BulkGrant(props: BulkGrantProps): ReactNode {
  return (
    <FormDialog onClose={props.onClose} title={words.grantTitle} size="lg">
      <GrantForm {...props} />
    </FormDialog>
  );
}

function GrantForm({ items, roles, onClose }: BulkGrantProps): ReactNode {
  const [kind, setKind] = useState<string>(GROUP);
  const [name, setName] = useState('');
  const [entry, setEntry] = useState(NO_ROLES);
  const [isValid, setIsValid] = useState(true);
  const change = useChange(GrantAccessBatchMutation, { payload: (data) => data.grantAccessBatch });
  const notify = useNotify();
  const text = name.trim();
  // The picker of the other kind begins with what was typed in this one, and takes it for untouched.
  useEditedNote(text);
  const { find, problemOf, isFinding } = useFindPerson();
  const grant = { roles: [...entry.roles], expiresAt: entry.expiresAt };
  const { good, isChecked, check, grants, isChecking, report } = useCheck(items, grant, `${kind} ${text}`);
  const named = useMemo(() => namedFailures(change.failures, good), [change.failures, good]);
  const submit = async (): Promise<void> => {
    if (!isChecked) {
      change.clear();
      const subject = await subjectOf(kind, text, find);
      if (subject !== null) {
        await check(subject);
      }
      return;
    }
    const outcome = await change.run({ input: { grants: [...grants()] } });
    if (outcome.isDone) {
      notify({ kind: 'status', text: words.granted(good.length) });
      onClose();
    }
  };
  const picker = { path: 'subject', value: name, onChange: setName, isRequired: true } as const;
  return (
    <Form
      change={{
        ...change,
        isBusy: change.isBusy || isChecking || isFinding,
        failures: named,
        fieldErrors: new Map(),
        topFailures: named,
      }}
      submit={isChecked ? words.grant(good.length) : bulkWords.check}
      onSubmit={() => void submit()}
      onCancel={onClose}
      isDisabled={text === '' || !isValid || (isChecked && good.length === 0)}
    >
      <Text size="sm">{words.grantAbout(items.length)}</Text>
      <SegmentedControl
        aria-label={words.grantTo}
        value={kind}
        onChange={setKind}
        data={[
          { value: GROUP, label: words.group },
          { value: 'person', label: words.person },
        ]}
      />
      {kind === GROUP ? (
        <GroupPicker {...picker} label={words.group} />
      ) : (
        <PersonPicker {...picker} label={words.person} problem={problemOf(text)} />
      )}
      <RoleSwitches
        label={words.grantedRoles}
        roles={roles}
        entry={entry}
        onChange={setEntry}
        isDisabled={false}
      />
      <EndsField
        value={entry.expiresAt}
        onChange={(expiresAt) => setEntry((old) => ({ ...old, expiresAt }))}
        onValidity={setIsValid}
      />
      {report}
    </Form>
  );
}
