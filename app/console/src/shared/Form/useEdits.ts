import { useCallback, useMemo, useState } from 'react';
import { editsOf, isSame, merge, settle } from './merge';
import type { Edited } from './merge';
import type { Values } from './useValues';

/** What was typed into a form about a stored object. */
export interface Edits<Fields> extends Values<Fields> {
  /** The fields that the user has changed: all that is to be sent. */
  readonly edits: Partial<Fields>;
  /** What is stored now of the fields that the user and somebody else have both changed. */
  readonly theirs: Partial<Fields>;
  /** Take what is stored in these fields, instead of what was typed. */
  readonly take: () => void;
  /** Begin again with what is stored now, or what was stored first. What was typed since `sent` was sent stays. */
  readonly reset: (next?: Fields, sent?: Fields) => void;
}

interface FormState<Fields> extends Edited<Fields> {
  readonly stored: Fields;
}

/**
 * Hold what was typed into a form about a stored object, also while somebody else changes the object: `stored` is what
 * was read last. Fields that the user has not touched follow it. A field that both have changed keeps what was typed,
 * and `theirs` tells what it is now.
 */
export function useEdits<Fields extends object>(stored: Fields): Edits<Fields> {
  const [state, setState] = useState<FormState<Fields>>({
    stored,
    base: stored,
    values: stored,
    overlaps: [],
  });
  if (!isSame(state.stored, stored)) {
    setState({ ...merge(state, stored), stored });
  }
  const set = useCallback(
    <Name extends keyof Fields>(name: Name) =>
      (value: Fields[Name]) =>
        setState((old) => ({ ...old, values: { ...old.values, [name]: value } })),
    [],
  );
  const reset = useCallback(
    (next?: Fields, sent?: Fields) => setState((old) => ({ ...old, ...settle(old, next ?? old.base, sent) })),
    [],
  );
  const take = useCallback(() => {
    setState((old) => ({ ...old, values: { ...old.values, ...theirsOf(old) }, overlaps: [] }));
  }, []);
  const edits = useMemo(() => editsOf(state), [state]);
  const theirs = useMemo(() => theirsOf(state), [state]);
  return { values: state.values, set, reset, take, edits, theirs, isDirty: Object.keys(edits).length > 0 };
}

function theirsOf<Fields extends object>(edited: Edited<Fields>): Partial<Fields> {
  const theirs: Partial<Fields> = {};
  for (const name of edited.overlaps) {
    theirs[name] = edited.base[name];
  }
  return theirs;
}
