/** A field of an object, before and after. `undefined`: the field was not there. */
export interface Difference {
  readonly field: string;
  readonly before: string | undefined;
  readonly after: string | undefined;
}

type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Return a value as text: plain values as they are, everything else as JSON. */
function textOf(value: unknown): string | undefined {
  if (value === undefined) {
    return undefined;
  }
  return typeof value === 'string' ? value : JSON.stringify(value, null, 2);
}

const TRUNCATED = 'truncated';

/** Return the fields of both states, each once: those of the old state first. */
export function differencesOf(before: unknown, after: unknown): readonly Difference[] {
  const old: Fields = isFields(before) ? before : {};
  const young: Fields = isFields(after) ? after : {};
  const names = new Set([...Object.keys(old), ...Object.keys(young)]);
  names.delete(TRUNCATED);
  return [...names].map((field) => ({
    field,
    before: textOf(old[field]),
    after: textOf(young[field]),
  }));
}

/** Return whether values were left out for their size. */
export const isTruncated = (before: unknown, after: unknown): boolean =>
  [before, after].some((state) => isFields(state) && state[TRUNCATED] === true);

/** Return the name of a field in words: `lastLoginAt` is "Last login at". */
export function fieldWords(field: string): string {
  const text = field.replaceAll(/([a-z])([A-Z])/g, '$1 $2').toLowerCase();
  return text.charAt(0).toUpperCase() + text.slice(1);
}
