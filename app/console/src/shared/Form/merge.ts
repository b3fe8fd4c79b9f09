/** What a form holds of a stored object. */
export interface Edited<Fields> {
  /** What is stored, as far as the form knows. */
  readonly base: Fields;
  /** What the fields show. */
  readonly values: Fields;
  /** The fields that the user and somebody else have both changed, and differently. */
  readonly overlaps: readonly (keyof Fields)[];
}

const namesOf = <Fields extends object>(fields: Fields): readonly (keyof Fields)[] => {
  const names: (keyof Fields)[] = [];
  for (const name in fields) {
    names.push(name);
  }
  return names;
};

export const isSame = (one: unknown, other: unknown): boolean =>
  JSON.stringify(one) === JSON.stringify(other);

/** Return the fields that the user has changed. */
export const editsOf = <Fields extends object>({ base, values }: Edited<Fields>): Partial<Fields> => {
  const edits: Partial<Fields> = {};
  for (const name of namesOf(base)) {
    if (!isSame(base[name], values[name])) {
      edits[name] = values[name];
    }
  }
  return edits;
};

/**
 * Return the form after it was stored as `next`. With `sent`, what the fields had when it was sent, the fields that
 * were edited since keep what was typed.
 */
export function settle<Fields extends object>(
  { values }: Edited<Fields>,
  next: Fields,
  sent?: Fields,
): Edited<Fields> {
  const merged = { ...next };
  for (const name of sent === undefined ? [] : namesOf(sent)) {
    if (!isSame(values[name], sent?.[name])) {
      merged[name] = values[name];
    }
  }
  return { base: next, values: merged, overlaps: [] };
}

/**
 * Return the form after the object was stored again. Fields that the user has not touched follow; the others keep what
 * was typed, and are noted as overlaps if they were stored otherwise meanwhile.
 */
export function merge<Fields extends object>(edited: Edited<Fields>, stored: Fields): Edited<Fields> {
  const { base, values, overlaps } = edited;
  const isMine = (name: keyof Fields): boolean => name in editsOf(edited);
  const editedNames = namesOf(base).filter((name) => isMine(name) && !isSame(values[name], stored[name]));
  const next = { ...stored };
  for (const name of editedNames) {
    next[name] = values[name];
  }
  return {
    base: stored,
    values: next,
    overlaps: editedNames.filter((name) => overlaps.includes(name) || !isSame(base[name], stored[name])),
  };
}
