export { AuditTable } from './AuditTable';
export type { AuditSort } from './AuditTable';
export { AuditQuery } from './operations';
