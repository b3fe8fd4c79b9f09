import { useCallback, useMemo, useState } from 'react';

export interface Values<Fields> {
  readonly values: Fields;
  /** Return the function that sets one field. */
  readonly set: <Name extends keyof Fields>(name: Name) => (value: Fields[Name]) => void;
  /** Whether a field differs from the start. */
  readonly isDirty: boolean;
  /** Start again, from other values if given. */
  readonly reset: (start?: Fields) => void;
}

/** Hold what was typed into a form. */
export function useValues<Fields extends object>(start: Fields): Values<Fields> {
  const [first, setFirst] = useState(start);
  const [values, setValues] = useState(start);
  const set = useCallback(
    <Name extends keyof Fields>(name: Name) =>
      (value: Fields[Name]) =>
        setValues((old) => ({ ...old, [name]: value })),
    [],
  );
  const reset = useCallback(
    (next?: Fields) => {
      setFirst(next ?? first);
      setValues(next ?? first);
    },
    [first],
  );
  const isDirty = useMemo(() => JSON.stringify(values) !== JSON.stringify(first), [values, first]);
  return { values, set, isDirty, reset };
}
