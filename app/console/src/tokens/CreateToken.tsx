import { Button, Code, CopyButton, Group, Modal, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { useChange, useViewer } from '../api';
import { EndsField, Form, FormDialog, MultiSelectField, TextField, useValues } from '../shared';
import { CreateTokenMutation } from './operations';
import type { PermissionLabel } from './operations';
import { words } from './words';

interface CreateTokenProps {
  /** The owner: the viewer or a service account. */
  readonly userName: string;
  readonly permissions: readonly PermissionLabel[];
  readonly onClose: () => void;
}

/** A token that is made; null if the answer with its text was lost, and the same was sent again. */
interface CreatedToken {
  readonly token: string | null;
}

/** Makes an API token, and shows it once. It is in memory until the dialog closes. */
export function CreateToken(props: CreateTokenProps): ReactNode {
  const [created, setCreated] = useState<CreatedToken | null>(null);
  if (created === null) {
    return <TokenForm {...props} onMade={setCreated} />;
  }
  return created.token === null ? (
    <LostToken onClose={props.onClose} />
  ) : (
    <NewToken token={created.token} onClose={props.onClose} />
  );
}

interface Fields {
  readonly name: string;
  readonly permissions: readonly string[];
  readonly orgs: string;
  readonly expiresAt: string | null;
}

interface TokenFormProps extends CreateTokenProps {
  readonly onMade: (created: CreatedToken) => void;
}

const START: Fields = { name: '', permissions: [], orgs: '', expiresAt: null };

function TokenForm({ userName, permissions, onClose, onMade }: TokenFormProps): ReactNode {
  const { values, set } = useValues<Fields>(START);
  const [isValid, setIsValid] = useState(true);
  const own = useViewer()?.permissions ?? [];
  const offered = permissions.filter(({ permission }) => own.includes(permission));
  const change = useChange(CreateTokenMutation, {
    payload: (data) => data.createApiToken,
    touches: ['ApiToken', 'ApiTokenConnection'],
  });
  const submit = async (): Promise<void> => {
    const chosen = offered.filter(({ permission }) => values.permissions.includes(permission));
    const slugs = values.orgs.split(/[\s,]+/).filter((slug) => slug !== '');
    const outcome = await change.run({
      input: {
        user: { userName },
        name: values.name,
        permissions: chosen.map(({ permission }) => permission),
        ...(slugs.length === 0 ? {} : { orgs: slugs.map((slug) => ({ slug })) }),
        ...(values.expiresAt === null ? {} : { expiresAt: values.expiresAt }),
      },
    });
    if (outcome.isDone) {
      onMade(outcome.payload);
    }
  };
  return (
    <FormDialog onClose={onClose} title={words.create}>
      <Form
        change={change}
        submit={words.create}
        onSubmit={() => void submit()}
        onCancel={onClose}
        isDisabled={!isValid}
        label={words.create}
      >
        <TextField
          path="name"
          label={words.purpose}
          description={words.purposeHint}
          value={values.name}
          onChange={set('name')}
          isRequired
          isFirst
        />
        <MultiSelectField
          path="permissions"
          label={words.permissions}
          description={words.permissionsHint}
          choices={offered.map(({ permission, label }) => ({ value: permission, label }))}
          value={values.permissions}
          onChange={set('permissions')}
        />
        <TextField
          path="orgs"
          label={words.orgs}
          description={words.orgsHint}
          value={values.orgs}
          onChange={set('orgs')}
        />
        <EndsField value={values.expiresAt} onChange={set('expiresAt')} onValidity={setIsValid} />
      </Form>
    </FormDialog>
  );
}

function LostToken({ onClose }: Pick<CreateTokenProps, 'onClose'>): ReactNode {
  return (
    <Modal opened onClose={onClose} title={words.newTitle}>
      <Stack>
        <Text size="sm" role="alert">
          {words.lostText}
        </Text>
        <Group justify="flex-end">
          <Button onClick={onClose}>{words.close}</Button>
        </Group>
      </Stack>
    </Modal>
  );
}

interface NewTokenProps {
  readonly token: string;
  readonly onClose: () => void;
}

/** Closes by its button alone: the token is gone then. */
function NewToken({ token, onClose }: NewTokenProps): ReactNode {
  return (
    <Modal
      opened
      onClose={onClose}
      title={words.newTitle}
      withCloseButton={false}
      closeOnEscape={false}
      closeOnClickOutside={false}
    >
      <Stack>
        <Text size="sm" role="alert">
          {words.newText}
        </Text>
        <Code block aria-label={words.token} style={{ overflowWrap: 'anywhere', whiteSpace: 'pre-wrap' }}>
          {token}
        </Code>
        <Group justify="flex-end">
          <CopyButton value={token}>
            {({ copied, copy }) => (
              <Button variant="default" onClick={copy}>
                {copied ? words.copied : words.copy}
              </Button>
            )}
          </CopyButton>
          <Button onClick={onClose}>{words.close}</Button>
        </Group>
      </Stack>
    </Modal>
  );
}
