export { CheckedBulk } from './CheckedBulk';
export type { CheckedAct } from './CheckedBulk';
export { BulkDialog } from './BulkDialog';
export { checkedOf } from './checked';
export { useBulk } from './useBulk';
export { useChecked } from './useChecked';
export { words as bulkWords } from './words';
