import { useSyncExternalStore } from 'react';
import type { Answer } from './answer';

/** What the fetcher tells the panes around the editors. */
export interface AnswerNews {
  readonly answer: Answer | null;
  /** Why there is no schema; null if there is one, or none was asked for. */
  readonly schemaProblem: string | null;
}

const NOTHING: AnswerNews = { answer: null, schemaProblem: null };

let latest = NOTHING;
const listeners = new Set<() => void>();

/** Tell something new; everything else stays. */
export function tell(news: Partial<AnswerNews>): void {
  latest = { ...latest, ...news };
  listeners.forEach((listener) => listener());
}

export const forgetTold = (): void => tell(NOTHING);

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export const useTold = (): AnswerNews => useSyncExternalStore(subscribe, () => latest);
