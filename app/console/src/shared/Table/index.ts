export { EditRemoveButtons } from './EditRemoveButtons';
export { Table } from './Table';
export type { TableProps } from './Table';
export type { BulkAction, Column, Rows } from './types';
export type { Selected, Selection } from './useSelection';
export { useTable } from './useTable';
export type { TableState } from './useTable';
