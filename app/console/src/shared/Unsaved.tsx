import { useEffect } from 'react';
import type { ReactNode } from 'react';
import { noteUnsaved } from '../api';
import { LeaveGuard, useDialogNote, useIsInDialog } from './FormDialog';

interface UnsavedProps {
  /** Whether there is input that is not saved. */
  readonly isDirty: boolean;
}

/**
 * Asks before input is thrown away; put it beside the form. A dialog asks for its fields by itself: there it is for forms
 * that know better, since what is stored may change meanwhile, or not all input is in fields.
 */
export function Unsaved({ isDirty }: UnsavedProps): ReactNode {
  const isInDialog = useIsInDialog();
  useDialogNote('exact', true);
  useDialogNote('unsaved', isDirty);
  // A dialog notes its input by itself.
  const isNoted = isDirty && !isInDialog;
  useEffect(() => (isNoted ? noteUnsaved(() => true) : undefined), [isNoted]);
  return isInDialog ? null : <LeaveGuard hasInput={() => isDirty} />;
}
