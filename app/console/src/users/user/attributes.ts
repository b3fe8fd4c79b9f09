import { hasUnsafeNumber } from '../../shared/numbers';

/** A row of the table of attributes, as typed. */
export interface AttributeRow {
  readonly key: string;
  readonly value: string;
}

export type Attributes = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Attributes =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Return the metadata of a user as an object. */
export const objectOf = (metadata: unknown): Attributes => (isObject(metadata) ? metadata : {});

/** Return whether a text would be read as something other than a text. */
function isJson(text: string): boolean {
  try {
    return typeof JSON.parse(text) !== 'string' || text.startsWith('"');
  } catch {
    return false;
  }
}

/** Return a value as it is typed: texts as they are, all else as JSON. */
function textOf(value: unknown): string {
  return typeof value === 'string' && !isJson(value) ? value : JSON.stringify(value);
}

function valueOf(text: string): unknown {
  return isJson(text.trim()) ? JSON.parse(text) : text;
}

export const rowsOf = (attributes: Attributes): readonly AttributeRow[] =>
  Object.entries(attributes).map(([key, value]) => ({ key, value: textOf(value) }));

/** Return the attributes of the rows. */
export const attributesOf = (rows: readonly AttributeRow[]): Attributes =>
  Object.fromEntries(rows.map(({ key, value }) => [key.trim(), valueOf(value)]));

/** Return the first key that is there twice; an empty text for a row without key; undefined if all are right. */
export function badKey(rows: readonly AttributeRow[]): string | undefined {
  const seen = new Set<string>();
  for (const { key } of rows) {
    const name = key.trim();
    if (name === '' || seen.has(name)) {
      return name;
    }
    seen.add(name);
  }
  return undefined;
}

/** Return the key of the first row whose value has a number that would lose digits; undefined if none has. */
export const unsafeKey = (rows: readonly AttributeRow[]): string | undefined =>
  rows.find(({ value }) => isJson(value.trim()) && hasUnsafeNumber(value))?.key;

/** Return the quota in megabytes for the API: null for none, undefined if it is no whole number. */
export function quotaOf(text: string): number | null | undefined {
  const trimmed = text.trim();
  if (trimmed === '') {
    return null;
  }
  return /^\d{1,12}$/.test(trimmed) ? Number(trimmed) : undefined;
}
