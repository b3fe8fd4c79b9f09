export { useDialogNote, useEditedNote, useIsInDialog } from './dialogContext';
export { FormDialog } from './FormDialog';
export { LeaveGuard } from './LeaveGuard';
