export { BulkDialog } from './BulkDialog';
export { useBulk } from './useBulk';
