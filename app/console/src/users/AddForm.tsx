import type { ReactNode } from 'react';
import { Form, FormDialog } from '../shared';
import type { FormChange } from '../shared';
import { words } from './words';

export interface AddProps {
  readonly roles: readonly string[];
  readonly onClose: () => void;
}

export const choicesOf = (roles: readonly string[]) => roles.map((name) => ({ value: name, label: name }));

/** Return a value for the API; an empty text is none. */
export const orNothing = (text: string): string | null => (text.trim() === '' ? null : text.trim());

interface AddFormProps {
  readonly title: string;
  readonly change: FormChange;
  readonly onSubmit: () => void;
  readonly onClose: () => void;
  readonly children: ReactNode;
}

/** A dialog that creates an account. */
export function AddForm({ title, change, onSubmit, onClose, children }: AddFormProps): ReactNode {
  return (
    <FormDialog onClose={onClose} title={title}>
      <Form change={change} submit={words.create} onSubmit={onSubmit} onCancel={onClose} label={title}>
        {children}
      </Form>
    </FormDialog>
  );
}
