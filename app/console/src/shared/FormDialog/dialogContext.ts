import { createContext, useContext, useEffect, useState } from 'react';
import type { RefObject } from 'react';

/**
 * What the parts of a dialog tell it: which fields were edited, which forms know by themselves what is unsaved (`exact`)
 * and which of these are, and which parts send a change.
 */
export type DialogState = Readonly<Record<'edited' | 'exact' | 'unsaved' | 'busy', Set<symbol>>>;

export const newDialogState = (): DialogState => ({
  edited: new Set(),
  exact: new Set(),
  unsaved: new Set(),
  busy: new Set(),
});

/** Whether there is input that would be lost. A form that knows it exactly decides for its fields. */
export const hasInput = ({ unsaved, exact, edited }: DialogState): boolean =>
  unsaved.size > 0 || (exact.size === 0 && edited.size > 0);

export const DialogContext = createContext<RefObject<DialogState> | null>(null);

export const useIsInDialog = (): boolean => useContext(DialogContext) !== null;

/** Tell the dialog around, if there is one, that this holds for this part. */
export function useDialogNote(kind: keyof DialogState, isOn: boolean): void {
  const state = useContext(DialogContext);
  useEffect(() => {
    const marks = state?.current[kind];
    if (!isOn || marks === undefined) {
      return undefined;
    }
    const mark = Symbol(kind);
    marks.add(mark);
    // A moment later: one press of Esc reaches a question and the dialog below it.
    return () => {
      setTimeout(() => marks.delete(mark));
    };
  }, [state, kind, isOn]);
}

/**
 * Tell the dialog around, if there is one, whether the value of a field differs from the first. The first is the value
 * when the part is mounted: note a value above the parts that come and go with it.
 */
export function useEditedNote(value: string): void {
  const [first] = useState(value);
  useDialogNote('edited', value !== first);
}
