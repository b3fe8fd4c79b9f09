/** The forms, drafts and dialogs that may hold input, each with the question whether it is unsaved now. */
const notes = new Set<() => boolean>();

/** Note a part whose input is unsaved while `isUnsaved` says so. Return the function that forgets it. */
export function noteUnsaved(isUnsaved: () => boolean): () => void {
  const note = (): boolean => isUnsaved();
  notes.add(note);
  return () => notes.delete(note);
}

export const hasUnsaved = (): boolean => [...notes].some((isUnsaved) => isUnsaved());
