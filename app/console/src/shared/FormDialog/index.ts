export { useDialogNote } from './dialogContext';
export { FormDialog } from './FormDialog';
export { LeaveQuestion } from './LeaveQuestion';
