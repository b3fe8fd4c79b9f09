import { useMemo } from 'react';
import { useViewer } from '../api';
import type { Failure } from '../api';
import { locate } from './configuration';
import type { Sent } from './configuration';
import type { PanelResource } from './fragments';
import { ownAdminAfter } from './ownAdmin';
import { lossNote, sentenceOf, warningsOf } from './preview';
import type { Warning } from './preview';
import { countEntries } from './rows';
import type { SubjectKey } from './subjects';
import type { Panel } from './usePanel';
import { words } from './words';

/** What the panel shows of its state. */
export interface PanelView {
  readonly sentences: readonly string[];
  /** What a loss leaves; null if nobody loses a role. */
  readonly lossNote: string | null;
  readonly warnings: readonly Warning[];
  /** Messages by row. */
  readonly errors: ReadonlyMap<SubjectKey, string>;
  /** The failures of no row. */
  readonly topFailures: readonly Failure[];
  /** Read the preview again, after it failed. */
  readonly onAgain: (() => void) | null;
  readonly tooMany: string | null;
  readonly canSubmit: boolean;
}

const MOST_ENTRIES = 1_000;

interface Refusal {
  readonly failures: readonly Failure[];
  readonly sent: Sent;
}

/** Return the rows with errors, and the failures of the whole. */
export function sortFailures({ failures, sent }: Refusal): Pick<PanelView, 'errors' | 'topFailures'> {
  const errors = new Map<SubjectKey, string>();
  const topFailures: Failure[] = [];
  for (const failure of failures) {
    const key = failure.kind === 'problem' ? locate(failure.path, sent) : null;
    if (key === null) {
      topFailures.push(failure);
    } else {
      errors.set(key, [errors.get(key), failure.message].filter((text) => text !== undefined).join(' '));
    }
  }
  return { errors, topFailures };
}

const NOTHING: Pick<PanelView, 'errors' | 'topFailures'> = { errors: new Map(), topFailures: [] };

function problemsOf({ state: { step }, preview }: Panel): Pick<PanelView, 'errors' | 'topFailures'> {
  if (step.kind === 'refused') {
    return sortFailures(step);
  }
  if (preview.status === 'refused') {
    return sortFailures(preview);
  }
  return preview.status === 'failed' ? { ...NOTHING, topFailures: preview.failures } : NOTHING;
}

/** Submit is open when the preview is there, all overlaps are chosen, and nothing is known to be wrong. */
function isOpen({ state: { step, overlaps }, preview }: Panel): boolean {
  const isRight =
    step.kind === 'editing' ||
    (step.kind === 'refused' && step.failures.every(({ kind }) => kind !== 'problem'));
  return isRight && overlaps.length === 0 && preview.status === 'ready';
}

export function usePanelView(panel: Panel, resource: PanelResource): PanelView {
  const { state, edits, preview } = panel;
  const userId = useViewer()?.user?.id ?? null;
  const problems = useMemo(() => problemsOf(panel), [panel]);
  const texts = useMemo(() => {
    const changes = preview.status === 'ready' ? preview.changes : [];
    const { roles } = resource.type;
    const byKey = new Map(edits.map((edit) => [edit.key, edit]));
    const fate = ownAdminAfter(changes, resource.viewerAccess.sources, userId);
    return {
      sentences: changes.map((change) => sentenceOf(change, roles, byKey)),
      lossNote: lossNote(changes),
      warnings: warningsOf(changes, roles, fate),
    };
  }, [preview, edits, resource, userId]);
  const count = countEntries(state);
  const tooMany = count > MOST_ENTRIES ? words.tooMany(count, MOST_ENTRIES) : null;
  return {
    ...texts,
    ...problems,
    onAgain: preview.status === 'failed' ? preview.again : null,
    tooMany,
    canSubmit: edits.length > 0 && tooMany === null && isOpen(panel),
  };
}
