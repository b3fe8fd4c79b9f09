import { useState } from 'react';
import type { Failure } from './errors';

const REFUSALS: ReadonlySet<string> = new Set(['signedOut', 'forbidden', 'notFound', 'refused']);

const isRefusal = (failures: readonly Failure[]): boolean => failures.some(({ kind }) => REFUSALS.has(kind));

/**
 * Return what a page goes on to show after a read that failed: what it had, if the server only cannot answer now.
 * After a refusal it is null.
 */
export const keptAfter = <Data>(failures: readonly Failure[], last: Data | null): Data | null =>
  isRefusal(failures) ? null : last;

/**
 * Return what was read last under this key; null if nothing was. `data` is undefined as long as it is not whole, or
 * belongs to the variables before. A page keeps it when a later read fails, and with it what was typed there. A refusal
 * among the failures ends it for good.
 */
export function useLast<Data>(
  key: string,
  data: Data | null | undefined,
  failures: readonly Failure[],
): Data | null {
  const [last, setLast] = useState<{ readonly key: string; readonly data: Data } | null>(null);
  if (data !== undefined && data !== null && (last?.data !== data || last.key !== key)) {
    setLast({ key, data });
  } else if (last !== null && isRefusal(failures)) {
    setLast(null);
  }
  return last?.key === key ? last.data : null;
}
