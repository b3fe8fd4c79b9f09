/** The forms and drafts whose input is not saved. */
const unsaved = new Set<symbol>();

/** Note an unsaved draft. Return the function that forgets it. */
export function noteUnsaved(): () => void {
  const mark = Symbol('unsaved');
  unsaved.add(mark);
  return () => unsaved.delete(mark);
}

export const hasUnsaved = (): boolean => unsaved.size > 0;
