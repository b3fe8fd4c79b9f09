import type { ResourceRole } from '../api';
import { isSameMoment } from '../shared';
import { ANYONE, GENERAL } from './subjects';
import type { SubjectKey } from './subjects';

/** The grant of one subject: roles as granted, without implied ones, and its end. */
export interface Entry {
  readonly roles: ReadonlySet<ResourceRole>;
  readonly expiresAt: string | null;
}

/** An access configuration by subject. The base is one, and so is the draft. */
export type Draft = ReadonlyMap<SubjectKey, Entry>;

/** The difference of one subject. Null stands for no entry. */
export interface Edit {
  readonly key: SubjectKey;
  readonly before: Entry | null;
  readonly after: Entry | null;
}

/** A subject that was changed here and by somebody else, to different ends. */
export interface Overlap {
  readonly key: SubjectKey;
  readonly theirs: Entry | null;
}

export const NO_ROLES: Entry = { roles: new Set(), expiresAt: null };

export function isSameEntry(one: Entry | null, other: Entry | null): boolean {
  if (one === null || other === null) {
    return one === other;
  }
  return (
    one.roles.size === other.roles.size &&
    [...one.roles].every((role) => other.roles.has(role)) &&
    isSameMoment(one.expiresAt, other.expiresAt)
  );
}

/**
 * Return an entry as it is stored: general access is always there, and the entry of anyone is not there without roles.
 */
function normal(key: SubjectKey, entry: Entry | null): Entry | null {
  if (key === GENERAL) {
    return entry ?? NO_ROLES;
  }
  return key === ANYONE && entry?.roles.size === 0 ? null : entry;
}

/** Return a draft with another entry of one subject; null removes it. */
export function withEntry(draft: Draft, key: SubjectKey, entry: Entry | null): Draft {
  const next = new Map(draft);
  const stored = normal(key, entry);
  if (stored === null) {
    next.delete(key);
  } else {
    next.set(key, stored);
  }
  return next;
}

export const entryOf = (draft: Draft, key: SubjectKey): Entry | null => draft.get(key) ?? null;

/** Return what is different in `to`, by subject. It is computed, never stored: off and on again is no change. */
export function diff(from: Draft, to: Draft): readonly Edit[] {
  return [...new Set([...from.keys(), ...to.keys()])]
    .map((key) => ({ key, before: entryOf(from, key), after: entryOf(to, key) }))
    .filter(({ before, after }) => !isSameEntry(before, after));
}

/** Return a draft with edits made on it. */
export const apply = (edits: readonly Edit[], draft: Draft): Draft =>
  edits.reduce((result, { key, after }) => withEntry(result, key, after), draft);

/**
 * Make the edits of a draft again on the configuration that somebody else has submitted. Subjects that both changed
 * differently are overlaps: the own edit holds until the user chooses.
 */
export function reapply(
  base: Draft,
  draft: Draft,
  current: Draft,
): { readonly draft: Draft; readonly overlaps: readonly Overlap[] } {
  const edits = diff(base, draft);
  const theirs = new Map(diff(base, current).map((edit) => [edit.key, edit.after]));
  const overlaps = edits.flatMap(({ key, after }) => {
    const other = theirs.get(key);
    return other === undefined || isSameEntry(other, after) ? [] : [{ key, theirs: other }];
  });
  return { draft: apply(edits, current), overlaps };
}

/** Return an entry with one role more or less. */
export function withRole(entry: Entry, role: ResourceRole, isGranted: boolean): Entry {
  const roles = new Set(entry.roles);
  if (isGranted) {
    roles.add(role);
  } else {
    roles.delete(role);
  }
  return { ...entry, roles };
}
