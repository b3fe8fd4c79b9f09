import { useRef, useState } from 'react';
import type { AllRows, Failure, ReadAll } from '../../api';

interface Progress {
  readonly read: number;
  readonly total: number | null;
}

export interface Reading<Row> {
  readonly start: (most: number) => Promise<AllRows<Row>>;
  readonly stop: () => void;
  /** Null if nothing is read now. */
  readonly progress: Progress | null;
  readonly failures: readonly Failure[];
}

/** Read all rows of a list with progress and Stop. */
export function useReading<Row>(readAll: ReadAll<Row> | undefined): Reading<Row> {
  const [progress, setProgress] = useState<Progress | null>(null);
  const [failures, setFailures] = useState<readonly Failure[]>([]);
  const abort = useRef<AbortController | null>(null);
  const start = async (most: number): Promise<AllRows<Row>> => {
    if (readAll === undefined) {
      return { isDone: false, failures: [] };
    }
    const controller = new AbortController();
    abort.current = controller;
    setFailures([]);
    setProgress({ read: 0, total: 0 });
    const result = await readAll({
      signal: controller.signal,
      most,
      onProgress: (read, total) => setProgress({ read, total }),
    });
    setProgress(null);
    setFailures(result.isDone ? [] : result.failures);
    return result;
  };
  return { start, stop: () => abort.current?.abort(), progress, failures };
}
