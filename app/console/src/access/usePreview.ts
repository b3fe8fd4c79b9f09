import { useEffect, useMemo, useState } from 'react';
import { problemOf, useLoad } from '../api';
import type { Failure } from '../api';
import { makeInput } from './configuration';
import type { Sent } from './configuration';
import { PreviewAccessQuery } from './operations';
import type { AccessChange } from './operations';
import type { PanelState } from './panel';

const CALM_AFTER = 500;

/** What a draft would change, as the server says. */
export type Preview =
  | { readonly status: 'none' }
  | { readonly status: 'reading' }
  | { readonly status: 'failed'; readonly failures: readonly Failure[]; readonly again: () => void }
  | { readonly status: 'refused'; readonly failures: readonly Failure[]; readonly sent: Sent }
  | { readonly status: 'ready'; readonly changes: readonly AccessChange[] };

/** Ask for the preview half a second after the last edit. A newer edit drops the older answer. */
export function usePreview(resource: string, state: PanelState, isDirty: boolean): Preview {
  const { draft, base, subjects } = state;
  const sent = useMemo(
    () => makeInput(resource, base.revision, draft, subjects),
    [resource, base.revision, draft, subjects],
  );
  const [calm, setCalm] = useState(sent);
  useEffect(() => {
    const timer = setTimeout(() => setCalm(sent), CALM_AFTER);
    return () => clearTimeout(timer);
  }, [sent]);
  const load = useLoad(PreviewAccessQuery, { input: calm.input }, { isPaused: !isDirty || calm !== sent });
  return useMemo<Preview>(() => {
    if (!isDirty) {
      return { status: 'none' };
    }
    if (calm !== sent || load.status === 'loading' || load.status === 'stopped') {
      return { status: 'reading' };
    }
    if (load.status === 'failed') {
      return { status: 'failed', failures: load.failures, again: load.again };
    }
    const { previewAccess } = load.data;
    if (previewAccess === null) {
      return load.isRefreshing
        ? { status: 'reading' }
        : { status: 'failed', failures: load.failures, again: load.again };
    }
    if (load.isRefreshing) {
      return { status: 'reading' };
    }
    return previewAccess.errors.length > 0
      ? { status: 'refused', failures: previewAccess.errors.map(problemOf), sent }
      : { status: 'ready', changes: previewAccess.changes };
  }, [isDirty, calm, sent, load]);
}
