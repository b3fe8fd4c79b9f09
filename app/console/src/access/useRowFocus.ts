import { useEffect, useRef } from 'react';
import type { RefObject } from 'react';
import type { SubjectKey } from './subjects';

interface RowFocus {
  readonly place: RefObject<HTMLDivElement | null>;
  /** Move on after rows were removed. */
  readonly focusNext: (keys: readonly SubjectKey[]) => void;
  /** Come back to a row whose buttons change. */
  readonly focusRow: (key: SubjectKey) => void;
}

/** Return the rows that may get the focus when others go, in this order: after them, before them, themselves. */
export function successors(keys: readonly SubjectKey[], gone: readonly SubjectKey[]): readonly SubjectKey[] {
  const places = gone.map((key) => keys.indexOf(key));
  const [first, last] = [Math.min(...places), Math.max(...places)];
  const isLeft = (key: SubjectKey): boolean => !gone.includes(key);
  return [...keys.slice(last + 1), ...keys.slice(0, Math.max(0, first)).reverse(), ...keys].filter(isLeft);
}

/** Give the focus to the row after those that went; to the button that adds rows if none is left. */
export function useRowFocus(keys: readonly SubjectKey[]): RowFocus {
  const place = useRef<HTMLDivElement>(null);
  const wanted = useRef<readonly SubjectKey[] | null>(null);
  useEffect(() => {
    if (wanted.current === null) {
      return;
    }
    const buttons = [...(place.current?.querySelectorAll<HTMLElement>('[data-row-key]') ?? [])];
    const target = wanted.current
      .map((key) => buttons.find((button) => button.dataset['rowKey'] === key))
      .find((button) => button !== undefined);
    wanted.current = null;
    (target ?? place.current?.querySelector('button'))?.focus();
  });
  return {
    place,
    focusNext: (gone) => {
      wanted.current = [...successors(keys, gone), ...gone];
    },
    focusRow: (key) => {
      wanted.current = [key];
    },
  };
}
