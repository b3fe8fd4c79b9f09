export { actionWords } from './actions';
export { AuditTable } from './AuditTable';
export type { AuditSort } from './AuditTable';
export { ChangeDialog } from './ChangeDialog';
export { AuditQuery } from './operations';
