import { Text } from '@mantine/core';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { useChange } from '../../api';
import type { OrgLevel } from '../../api';
import { Confirm, EndsField, Form, FormDialog, OrgPicker, SelectField } from '../../shared';
import { AddToOrgMutation, RemoveFromOrgMutation } from './changes';
import type { UserDetails } from './operations';
import { words } from './words';

const TOUCHES = ['User', 'Org'];

interface AddToOrgProps {
  readonly user: UserDetails;
  readonly levels: readonly { readonly level: OrgLevel; readonly label: string }[];
  readonly onClose: () => void;
}

/** Adds a user to an organization. */
export function AddToOrg({ user, levels, onClose }: AddToOrgProps): ReactNode {
  const [slug, setSlug] = useState('');
  const [level, setLevel] = useState<OrgLevel>('READ_ONLY');
  const [expiresAt, setExpiresAt] = useState<string | null>(null);
  const [isValid, setIsValid] = useState(true);
  const change = useChange(AddToOrgMutation, { payload: (data) => data.addOrgMember, touches: TOUCHES });
  const submit = async (): Promise<void> => {
    const outcome = await change.run({
      input: { user: { id: user.id }, org: { slug }, level, expiresAt },
    });
    if (outcome.isDone) {
      onClose();
    }
  };
  return (
    <FormDialog onClose={onClose} title={words.addToOrgTitle(user.userName)}>
      <Form
        change={change}
        submit={words.addToOrg}
        onSubmit={() => void submit()}
        onCancel={onClose}
        isDisabled={!isValid}
        label={words.addToOrg}
      >
        <OrgPicker path="org" label={words.org} value={slug} onChange={setSlug} isRequired isFirst />
        <SelectField
          path="level"
          label={words.level}
          choices={levels.map((each) => ({ value: each.level, label: each.label }))}
          value={level}
          onChange={setLevel}
        />
        <EndsField value={expiresAt} onChange={setExpiresAt} onValidity={setIsValid} />
      </Form>
    </FormDialog>
  );
}

interface RemoveFromOrgProps {
  readonly user: UserDetails;
  readonly org: { readonly id: string; readonly name: string };
  readonly onClose: () => void;
}

/** Asks before a user is removed from an organization. */
export function RemoveFromOrg({ user, org, onClose }: RemoveFromOrgProps): ReactNode {
  const change = useChange(RemoveFromOrgMutation, {
    payload: (data) => data.removeOrgMember,
    touches: TOUCHES,
  });
  const confirm = async (): Promise<void> => {
    const outcome = await change.run({ input: { user: { id: user.id }, org: { id: org.id } } });
    if (outcome.isDone) {
      onClose();
    }
  };
  const title = words.removeFrom(user.userName, org.name);
  return (
    <Confirm isOpen {...{ onClose, title, change }} act={words.remove} onConfirm={() => void confirm()}>
      <Text size="sm">{words.removeText}</Text>
    </Confirm>
  );
}
