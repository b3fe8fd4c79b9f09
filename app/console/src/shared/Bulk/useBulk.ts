import { useCallback, useEffect, useRef, useState } from 'react';
import type { Failure, Outcome } from '../../api';
import type { Selected } from '../Table';

export type BulkState =
  | { readonly kind: 'waiting' }
  | { readonly kind: 'running' }
  | { readonly kind: 'done' }
  | { readonly kind: 'failed'; readonly failures: readonly Failure[] };

export type BulkAct = (item: Selected) => Promise<Outcome<unknown>>;

export interface BulkRun {
  readonly states: ReadonlyMap<string, BulkState>;
  readonly isRunning: boolean;
  /** Return whether it came to the end without a stop. */
  readonly start: (items: readonly Selected[]) => Promise<boolean>;
  readonly stop: () => void;
}

/** Do one act after another, and keep what came of each. It stops when the dialog goes. */
export function useBulk(act: BulkAct): BulkRun {
  const [states, setStates] = useState<ReadonlyMap<string, BulkState>>(new Map());
  const [isRunning, setIsRunning] = useState(false);
  const isStopped = useRef(false);
  const note = (id: string, state: BulkState): void => setStates((old) => new Map(old).set(id, state));
  const start = async (items: readonly Selected[]): Promise<boolean> => {
    isStopped.current = false;
    setIsRunning(true);
    for (const item of items) {
      if (isStopped.current) {
        break;
      }
      note(item.id, { kind: 'running' });
      const outcome = await act(item);
      note(item.id, outcome.isDone ? { kind: 'done' } : { kind: 'failed', failures: outcome.failures });
    }
    setIsRunning(false);
    return !isStopped.current;
  };
  const stop = useCallback((): void => {
    isStopped.current = true;
  }, []);
  useEffect(() => stop, [stop]);
  return { states, isRunning, start, stop };
}
