import { useState } from 'react';

export interface CheckedForm {
  /** Whether what the form has now was tried, and would work. */
  readonly isChecked: boolean;
  /** Keep that it was tried. */
  readonly setChecked: () => void;
}

/**
 * A form that sends many changes in one: the first press tries them without writing, the second does them. An edit in
 * between begins again. `values` is all that the form sends.
 */
export function useChecked(values: object): CheckedForm {
  const [checked, setChecked] = useState<string | null>(null);
  const now = JSON.stringify(values);
  return { isChecked: checked === now, setChecked: () => setChecked(now) };
}
