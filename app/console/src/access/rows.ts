import type { ListPage } from '../api';
import type { Rows } from '../shared';
import { diff, entryOf, isSameEntry } from './draft';
import type { Entry, Overlap } from './draft';
import type { PanelState } from './panel';
import type { Subject, SubjectKey } from './subjects';

export type RowState = 'same' | 'added' | 'changed' | 'removed';

/** A group or a person of the panel. */
export interface EntryRow {
  readonly key: SubjectKey;
  readonly subject: Subject;
  /** What is shown: the draft, or the base of a row that is to be removed. */
  readonly entry: Entry;
  readonly state: RowState;
  readonly overlap: Overlap | null;
}

export function subjectName(subject: Subject): string {
  switch (subject.kind) {
    case 'group':
      return subject.name;
    case 'user':
      return subject.name ?? subject.userName;
    case 'general':
    case 'anyone':
      return subject.kind;
  }
}

function stateOf(before: Entry | null, after: Entry | null): RowState {
  if (after === null) {
    return 'removed';
  }
  if (before === null) {
    return 'added';
  }
  return isSameEntry(before, after) ? 'same' : 'changed';
}

/** Return the groups or people of base and draft: those of the base in its order, then the added ones. */
export function rowsOf(state: PanelState, kind: 'group' | 'user'): readonly EntryRow[] {
  const { base, draft, subjects, overlaps } = state;
  return [...new Set([...base.entries.keys(), ...draft.keys()])].flatMap((key) => {
    const subject = subjects.get(key);
    const [before, after] = [entryOf(base.entries, key), entryOf(draft, key)];
    const entry = after ?? before;
    if (subject?.kind !== kind || entry === null) {
      return [];
    }
    const overlap = overlaps.find((each) => each.key === key) ?? null;
    return [{ key, subject, entry, state: stateOf(before, after), overlap }];
  });
}

export const countEntries = ({ draft }: PanelState): number =>
  diff(new Map(), draft).filter(({ key }) => key.includes(':')).length;

function matches({ subject }: EntryRow, search: string): boolean {
  const text = `${subjectName(subject)} ${subject.kind === 'user' ? subject.userName : ''}${
    subject.kind === 'group' ? `${subject.slug} ${subject.description}` : ''
  }`.toLowerCase();
  return search
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

export interface RowFilter {
  readonly search: string;
  readonly onlyChanged: boolean;
}

export function filterRows(
  rows: readonly EntryRow[],
  { search, onlyChanged }: RowFilter,
): readonly EntryRow[] {
  return rows.filter((row) => matches(row, search) && (!onlyChanged || row.state !== 'same'));
}

interface Window {
  readonly after: string | null;
  readonly before: string | null;
  readonly size: number;
}

/** Return a page of rows in memory in the form of a connection. Cursors are indexes. */
export function pageOf<Row>(
  rows: readonly Row[],
  { after, before, size }: Window,
): Rows<Row> & ListPage<Row> {
  const start =
    before === null ? (after === null ? 0 : Number(after) + 1) : Math.max(0, Number(before) - size);
  // Rows may have gone since: then it is the last page.
  const first = start < rows.length ? start : Math.max(0, Math.floor((rows.length - 1) / size) * size);
  const nodes = rows.slice(first, first + size);
  const end = first + nodes.length;
  return {
    nodes,
    totalCount: rows.length,
    pageInfo: {
      hasPreviousPage: first > 0,
      hasNextPage: end < rows.length,
      startCursor: nodes.length === 0 ? null : String(first),
      endCursor: nodes.length === 0 ? null : String(end - 1),
    },
  };
}
