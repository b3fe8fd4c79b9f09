import { hasUnsafeNumber } from '../../shared/numbers';
import { storageWords as words } from './words';

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

/** What is wrong with a row, and in which of its fields. */
export interface RowProblem {
  readonly index: number;
  readonly part: 'key' | 'value';
  readonly text: string;
}

/** Return what is wrong with the first row without key, or with a key that is there already; null if all are right. */
function keyProblem(rows: readonly AttributeRow[]): RowProblem | null {
  const seen = new Set<string>();
  for (const [index, { key }] of rows.entries()) {
    const name = key.trim();
    if (name === '' || seen.has(name)) {
      return { index, part: 'key', text: name === '' ? words.emptyKey : words.doubleKey(name) };
    }
    seen.add(name);
  }
  return null;
}

/** Return what is wrong with the first row whose value has a number that would lose digits; null if none has. */
function valueProblem(rows: readonly AttributeRow[]): RowProblem | null {
  const index = rows.findIndex(({ value }) => isJson(value.trim()) && hasUnsafeNumber(value));
  const row = rows[index];
  return row === undefined ? null : { index, part: 'value', text: words.unsafeNumber(row.key) };
}

export const problemOf = (rows: readonly AttributeRow[]): RowProblem | null =>
  keyProblem(rows) ?? valueProblem(rows);

/** Return the quota in megabytes for the API: null for none, undefined if it is no whole number. */
export function quotaOf(text: string): number | null | undefined {
  const trimmed = text.trim();
  if (trimmed === '') {
    return null;
  }
  return /^\d{1,12}$/.test(trimmed) ? Number(trimmed) : undefined;
}
