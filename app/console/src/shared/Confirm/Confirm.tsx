import { Stack } from '@mantine/core';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { FormDialog } from '../FormDialog';
import { Form, TextField } from '../Form';
import type { FormChange } from '../Form';
import { words } from '../words';

interface ConfirmProps {
  readonly isOpen: boolean;
  readonly onClose: () => void;
  readonly title: string;
  /** What the button says: the act, such as "Delete Reef Lab". */
  readonly act: string;
  readonly change: FormChange;
  readonly onConfirm: () => void;
  /** A text to type before the button works, such as a slug. */
  readonly typed?: string;
  /** It can be undone, so its button is not red. */
  readonly isHarmless?: boolean;
  /** What will happen, in words. */
  readonly children: ReactNode;
}

/** Asks before an act. Errors of the change stay in the dialog. */
export function Confirm(props: ConfirmProps): ReactNode {
  const { isOpen, onClose, title } = props;
  return (
    <FormDialog isOpen={isOpen} onClose={onClose} title={title}>
      <ConfirmForm {...props} />
    </FormDialog>
  );
}

function ConfirmForm(props: ConfirmProps): ReactNode {
  const { onClose, act, change, onConfirm, typed, isHarmless = false, children } = props;
  const [text, setText] = useState('');
  const isMissing = typed !== undefined && text !== typed;
  return (
    <Form
      change={change}
      submit={act}
      onSubmit={() => (isMissing ? undefined : onConfirm())}
      onCancel={onClose}
      isDisabled={isMissing}
      {...(isHarmless ? {} : { color: 'red' })}
    >
      <Stack gap="sm">{children}</Stack>
      {typed === undefined ? null : (
        <TextField path="-typed" label={words.typeToConfirm(typed)} value={text} onChange={setText} isFirst />
      )}
    </Form>
  );
}
