import type { Failure } from '../api';
import { readBase, readSubjects } from './configuration';
import type { Base, Sent } from './configuration';
import { NO_ROLES, apply, diff, entryOf, reapply, withEntry } from './draft';
import type { Draft, Edit, Entry, Overlap } from './draft';
import type { Configuration } from './fragments';
import { keyOf, withSubjects } from './subjects';
import type { Subject, SubjectKey, Subjects } from './subjects';

/** What became of the last submit. */
export type Step =
  | { readonly kind: 'editing' }
  | { readonly kind: 'submitting' }
  | { readonly kind: 'refused'; readonly failures: readonly Failure[]; readonly sent: Sent }
  /** No answer came: it may have been saved. */
  | { readonly kind: 'unknown' };

/** What the banner tells beside the edits. */
export type Notice = 'conflict' | 'same' | 'notSaved' | null;

export interface PanelState {
  readonly base: Base;
  readonly draft: Draft;
  readonly subjects: Subjects;
  readonly overlaps: readonly Overlap[];
  readonly step: Step;
  readonly notice: Notice;
  /** Counts how often the draft was replaced, so that fields start again. */
  readonly generation: number;
}

/** What several rows get at once; null removes them. */
export type EntryPart = Pick<Entry, 'roles'> | Pick<Entry, 'expiresAt'> | null;

export type PanelAction =
  | { readonly kind: 'edit'; readonly key: SubjectKey; readonly entry: Entry | null }
  | { readonly kind: 'editMany'; readonly keys: readonly SubjectKey[]; readonly part: EntryPart }
  | { readonly kind: 'undo'; readonly key: SubjectKey }
  | { readonly kind: 'add'; readonly subjects: readonly Subject[] }
  | { readonly kind: 'revert' }
  | { readonly kind: 'choose'; readonly key: SubjectKey; readonly isMine: boolean }
  | { readonly kind: 'submit' }
  | { readonly kind: 'refused'; readonly failures: readonly Failure[]; readonly sent: Sent }
  | { readonly kind: 'lost' }
  /** The current configuration: saved now, in the way of a submit, or read again. */
  | { readonly kind: 'saved' | 'conflict' | 'reread' | 'checked'; readonly configuration: Configuration };

const EDITING: Step = { kind: 'editing' };

export function startPanel(configuration: Configuration): PanelState {
  const base = readBase(configuration);
  return {
    base,
    draft: base.entries,
    subjects: withSubjects(new Map(), readSubjects(configuration)),
    overlaps: [],
    step: EDITING,
    notice: null,
    generation: 0,
  };
}

export const editsOf = ({ base, draft }: PanelState): readonly Edit[] => diff(base.entries, draft);

/** Return the state with another base; the edits are made again on it. */
function rebase(state: PanelState, configuration: Configuration): PanelState {
  const next = startPanel(configuration);
  const { draft, overlaps } = reapply(state.base.entries, state.draft, next.base.entries);
  return {
    ...next,
    draft,
    overlaps,
    subjects: withSubjects(state.subjects, readSubjects(configuration)),
    generation: state.generation + 1,
  };
}

function fresh(state: PanelState, configuration: Configuration): PanelState {
  return { ...startPanel(configuration), generation: state.generation + 1 };
}

function settle(state: PanelState, configuration: Configuration, kind: 'conflict' | 'checked'): PanelState {
  const isUnchanged = configuration.revision === state.base.revision;
  const next = rebase(state, configuration);
  const isLeft = editsOf(next).length > 0;
  if (kind === 'checked' && isUnchanged) {
    return { ...next, notice: isLeft ? 'notSaved' : null };
  }
  return isLeft ? { ...next, notice: 'conflict' } : { ...fresh(state, configuration), notice: 'same' };
}

function edit(state: PanelState, edits: readonly Edit[]): PanelState {
  const touched = new Set(edits.map(({ key }) => key));
  const overlaps = state.overlaps.filter(({ key }) => !touched.has(key));
  return { ...state, draft: apply(edits, state.draft), overlaps, step: EDITING, notice: null };
}

const editTo = (state: PanelState, key: SubjectKey, after: Entry | null): PanelState =>
  edit(state, [{ key, before: null, after }]);

/** Change a part of several rows. Rows that are not in the draft stay away. */
function editMany(state: PanelState, keys: readonly SubjectKey[], part: EntryPart): PanelState {
  const edits = keys.flatMap((key) => {
    const before = entryOf(state.draft, key);
    return before === null ? [] : [{ key, before, after: part === null ? null : { ...before, ...part } }];
  });
  return edit(state, edits);
}

function choose(state: PanelState, key: SubjectKey, isMine: boolean): PanelState {
  const overlap = state.overlaps.find((each) => each.key === key);
  if (overlap === undefined) {
    return state;
  }
  return {
    ...state,
    overlaps: state.overlaps.filter((each) => each !== overlap),
    draft: isMine ? state.draft : withEntry(state.draft, key, overlap.theirs),
    generation: state.generation + 1,
  };
}

function add(state: PanelState, subjects: readonly Subject[]): PanelState {
  const added = subjects.filter((subject) => !state.draft.has(keyOf(subject)));
  const unknown = added.filter((subject) => !state.subjects.has(keyOf(subject)));
  // A row that was to be removed comes back as it was.
  const edits = added.map(keyOf).map((key) => ({
    key,
    before: null,
    after: entryOf(state.base.entries, key) ?? NO_ROLES,
  }));
  return edit({ ...state, subjects: withSubjects(state.subjects, unknown) }, edits);
}

const revert = (state: PanelState): PanelState => ({
  ...state,
  draft: state.base.entries,
  overlaps: [],
  step: EDITING,
  notice: null,
  generation: state.generation + 1,
});

export function panelReducer(state: PanelState, action: PanelAction): PanelState {
  switch (action.kind) {
    case 'edit':
      return editTo(state, action.key, action.entry);
    case 'editMany':
      return editMany(state, action.keys, action.part);
    case 'undo':
      return editTo(state, action.key, entryOf(state.base.entries, action.key));
    case 'add':
      return add(state, action.subjects);
    case 'revert':
      return revert(state);
    case 'choose':
      return choose(state, action.key, action.isMine);
    case 'submit':
      return { ...state, step: { kind: 'submitting' }, notice: null };
    case 'refused':
      return { ...state, step: action };
    case 'lost':
      return { ...state, step: { kind: 'unknown' } };
    case 'saved':
    case 'reread':
      return fresh(state, action.configuration);
    case 'conflict':
    case 'checked':
      return settle(state, action.configuration, action.kind);
  }
}
