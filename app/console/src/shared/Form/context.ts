import { createContext, useContext, useEffect } from 'react';
import { useEditedNote } from '../FormDialog';
import { words } from '../words';

export interface FormContextValue {
  readonly errors: ReadonlyMap<string, string>;
  /**
   * Tell the form that it has this field, and what is missing in it, null for nothing. Return the function that takes
   * it back.
   */
  readonly claim: (path: string, missing: string | null) => () => void;
  /** Forget the failures of the form. */
  readonly clear: () => void;
}

export const FormContext = createContext<FormContextValue>({
  errors: new Map(),
  claim: () => () => undefined,
  clear: () => undefined,
});

interface Requirement {
  readonly isRequired?: boolean;
  readonly label?: string;
}

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

/**
 * Connect a field to its form, and to the dialog around, which asks before it throws the value away. The path is that of
 * the input of the mutation, such as `userName`.
 */
export function useField(
  path: string,
  value: string | boolean | readonly string[],
  { isRequired = false, label = '' }: Requirement = {},
): { readonly error: string | undefined } {
  const { errors, claim } = useContext(FormContext);
  useEditedNote(String(value));
  const missing = isRequired && typeof value === 'string' && value.trim() === '' ? words.needed(label) : null;
  useEffect(() => claim(path, missing), [claim, path, missing]);
  return { error: messageOf(errors, path) };
}
