import { useReducer } from 'react';
import { useClient } from 'urql';
import { failuresOf, useChange } from '../api';
import type { Failure, Outcome, ResultOf } from '../api';
import { sharedWords, useNotify } from '../shared';
import { makeInput, readBase } from './configuration';
import { diff } from './draft';
import type { Edit } from './draft';
import type { Sent } from './configuration';
import type { Configuration } from './fragments';
import { AccessAgainQuery, SubmitAccessMutation } from './operations';
import { editsOf, panelReducer, startPanel } from './panel';
import type { PanelAction, PanelState } from './panel';
import { usePreview } from './usePreview';
import type { Preview } from './usePreview';
import { words } from './words';

export interface Panel {
  readonly state: PanelState;
  readonly edits: readonly Edit[];
  readonly preview: Preview;
  readonly dispatch: (action: PanelAction) => void;
  readonly submit: () => Promise<void>;
  /** Read what is stored, after an answer that was lost. */
  readonly check: () => Promise<void>;
  /** Seconds until it may be submitted again. */
  readonly wait: number;
}

const isStale = (failure: Failure): boolean =>
  failure.kind === 'problem' && failure.code === 'CONFLICT' && failure.path[1] === 'revision';

const isLost = ({ kind }: Failure): boolean => kind === 'unknownOutcome' || kind === 'committed';

type Submitted = NonNullable<ResultOf<typeof SubmitAccessMutation>['submitAccess']>;

/** Return what a submit leads to. Without a configuration in the answer, the one that was read stays. */
function actionAfter(outcome: Outcome<Submitted>, sent: Sent, previous: Configuration): PanelAction {
  const payload = outcome.isDone ? outcome.payload : outcome.rejected;
  const current = payload?.resource?.access ?? null;
  if (outcome.isDone) {
    return { kind: 'saved', configuration: current ?? previous };
  }
  if (current !== null && outcome.failures.some(isStale)) {
    return { kind: 'conflict', configuration: current };
  }
  return outcome.failures.some(isLost)
    ? { kind: 'lost' }
    : { kind: 'refused', failures: outcome.failures, sent };
}

/** Hold the draft of an access configuration. A configuration that is read again replaces no draft. */
export function usePanel(resource: string, configuration: Configuration): Panel {
  const [state, dispatch] = useReducer(panelReducer, configuration, startPanel);
  const notify = useNotify();
  const client = useClient();
  const change = useChange(SubmitAccessMutation, { payload: (data) => data.submitAccess });
  const edits = editsOf(state);
  const isDirty = edits.length > 0;
  if (!isDirty && state.step.kind === 'editing' && configuration.revision > state.base.revision) {
    dispatch({ kind: 'reread', configuration });
  }
  const preview = usePreview(resource, state, isDirty);

  const finish = (action: PanelAction): void => {
    dispatch(action);
    if (action.kind === 'saved') {
      notify({ kind: 'status', text: words.saved });
    }
  };
  const submit = async (): Promise<void> => {
    const sent = makeInput(resource, state.base.revision, state.draft, state.subjects);
    dispatch({ kind: 'submit' });
    finish(actionAfter(await change.run({ input: sent.input }), sent, configuration));
  };
  const check = async (): Promise<void> => {
    const reading = client.query(AccessAgainQuery, { id: resource }, { requestPolicy: 'network-only' });
    const { data, error } = await reading.toPromise();
    const current = data?.resource?.access ?? null;
    if (current === null) {
      const failures = error === undefined ? [] : failuresOf(error, 'read');
      notify({ kind: 'error', text: failures[0]?.message ?? sharedWords.missing });
      return;
    }
    const isSaved = diff(readBase(current).entries, state.draft).length === 0;
    finish({ kind: isSaved ? 'saved' : 'checked', configuration: current });
  };
  return { state, edits, preview, dispatch, submit, check, wait: change.wait };
}
