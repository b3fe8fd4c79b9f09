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
  /** Begin anew with what is stored now, or what was stored first. What was typed since `sent` was sent stays. */
  readonly reset: (next?: Fields, sent?: Fields) => void;
}

interface Held<Fields> extends Edited<Fields> {
  readonly stored: Fields;
}

/**
 * Hold what was typed into a form about a stored object, also while somebody else changes the object: `stored` is what
 * was read last. Fields that the user has not touched follow it. A field that both have changed keeps what was typed,
 * and `theirs` tells what it is now.
 */
export function useEdits<Fields extends object>(stored: Fields): Edits<Fields> {
  const [held, setHeld] = useState<Held<Fields>>({ stored, base: stored, values: stored, overlaps: [] });
  if (!isSame(held.stored, stored)) {
    setHeld({ ...merge(held, stored), stored });
  }
  const set = useCallback(
    <Name extends keyof Fields>(name: Name) =>
      (value: Fields[Name]) =>
        setHeld((old) => ({ ...old, values: { ...old.values, [name]: value } })),
    [],
  );
  const reset = useCallback(
    (next?: Fields, sent?: Fields) => setHeld((old) => ({ ...old, ...settle(old, next ?? old.base, sent) })),
    [],
  );
  const take = useCallback(() => {
    setHeld((old) => ({ ...old, values: { ...old.values, ...theirsOf(old) }, overlaps: [] }));
  }, []);
  const edits = useMemo(() => editsOf(held), [held]);
  const theirs = useMemo(() => theirsOf(held), [held]);
  return { values: held.values, set, reset, take, edits, theirs, isDirty: Object.keys(edits).length > 0 };
}

function theirsOf<Fields extends object>(held: Edited<Fields>): Partial<Fields> {
  const theirs: Partial<Fields> = {};
  for (const name of held.overlaps) {
    theirs[name] = held.base[name];
  }
  return theirs;
}
