import { fieldWords, valueWords } from './fields';
import type { ObjectType } from './fields';
import type { Labels } from './labels';
import { isFields } from './values';

/** A field of an object in words, before and after, in lines. `undefined`: the field was not there. */
export interface Difference {
  readonly field: string;
  readonly label: string;
  readonly before: readonly string[] | undefined;
  readonly after: readonly string[] | undefined;
}

/** An object as a change has it. */
export interface ObjectChange {
  readonly objectType: ObjectType;
  readonly before: unknown;
  readonly after: unknown;
}

const TRUNCATED = 'truncated';

/** Return the fields of both states, each once: those of the old state first. */
export function differencesOf(change: ObjectChange, labels: Labels): readonly Difference[] {
  const { objectType } = change;
  const before = isFields(change.before) ? change.before : {};
  const after = isFields(change.after) ? change.after : {};
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  names.delete(TRUNCATED);
  const said = (state: Readonly<Record<string, unknown>>, field: string) =>
    field in state ? valueWords(objectType, field, state[field], labels) : undefined;
  return [...names].map((field) => ({
    field,
    label: fieldWords(objectType, field),
    before: said(before, field),
    after: said(after, field),
  }));
}

/** Return whether values were left out for their size. */
export const isTruncated = ({ before, after }: ObjectChange): boolean =>
  [before, after].some((state) => isFields(state) && state[TRUNCATED] === true);
