import { createContext, useContext, useEffect } from 'react';
import { useEditedNote } from '../FormDialog';
import { words } from '../words';
import { isEmpty } from './isEmpty';
import type { FieldValue } from './isEmpty';

export interface FormContextValue {
  readonly errors: ReadonlyMap<string, string>;
  /** Tell the form that it has this field. Return the function that takes it back. */
  readonly claim: (path: string) => () => void;
  /** Tell the form that a required field is empty. Return the function that takes it back. */
  readonly note: (path: string) => () => void;
  /** Whether the form was sent while required fields were empty: they say so then. */
  readonly isIncomplete: boolean;
  /** Forget the failures of the form. */
  readonly clear: () => void;
}

export const FormContext = createContext<FormContextValue>({
  errors: new Map(),
  claim: () => () => undefined,
  note: () => () => undefined,
  isIncomplete: false,
  clear: () => undefined,
});

/** Return the message of the field: of its own path, or of the first path below it. */
export function messageOf(errors: ReadonlyMap<string, string>, path: string): string | undefined {
  const own = errors.get(path);
  if (own !== undefined) {
    return own;
  }
  for (const [each, message] of errors) {
    if (each.startsWith(`${path}.`)) {
      return message;
    }
  }
  return undefined;
}

interface FieldOptions {
  /** The label of a required field; undefined for a field that may be empty. */
  readonly requiredLabel?: string | undefined;
  readonly areBlanksText?: boolean;
}

/**
 * Connect a field to its form, and to the dialog around, which asks before it throws the value away. The path is that of
 * the input of the mutation, such as `userName`.
 */
export function useField(
  path: string,
  value: FieldValue,
  { requiredLabel, areBlanksText = false }: FieldOptions = {},
): { readonly error: string | undefined } {
  const { errors, claim, note, isIncomplete } = useContext(FormContext);
  const isMissing = requiredLabel !== undefined && isEmpty(value, areBlanksText);
  useEditedNote(String(value));
  useEffect(() => claim(path), [claim, path]);
  useEffect(() => (isMissing ? note(path) : undefined), [note, path, isMissing]);
  return { error: isIncomplete && isMissing ? words.required(requiredLabel) : messageOf(errors, path) };
}
