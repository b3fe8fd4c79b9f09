import { createContext, useContext, useEffect } from 'react';
import type { RefObject } from 'react';

/** What the parts of a dialog tell it: which have unsaved input, and which send a change. */
export interface DialogState {
  readonly unsaved: Set<symbol>;
  readonly busy: Set<symbol>;
}

export const DialogContext = createContext<RefObject<DialogState> | null>(null);

/** Tell the dialog around, if there is one, that this part has unsaved input or sends a change. */
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
