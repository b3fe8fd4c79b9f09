export { LockNote } from './LockNote';
export { LockPanel } from './LockPanel';
export { LockFields } from './operations';
