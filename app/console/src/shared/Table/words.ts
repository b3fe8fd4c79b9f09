import { phrase } from '../phrase';
import { counted } from '../words';

export const words = {
  search: 'Search',
  clearSearch: 'Clear the search',
  first: 'First page',
  previous: 'Previous page',
  next: 'Next page',
  rowsPerPage: 'Rows per page',
  total: (count: number) => counted(count, 'entry', 'entries'),
  sortedBy: (label: string, isAscending: boolean) =>
    phrase`${label}, sorted ${isAscending ? 'from first to last' : 'from last to first'}`,
  nothingYet: 'There is nothing here yet.',
  nothingFound: 'Nothing matches.',
  clearFilters: 'Clear filters',
  selectPage: 'Select all rows of this page',
  selectRow: (name: string) => phrase`Select ${name}`,
  selected: (count: number) => phrase`${count === 0 ? 'No rows' : counted(count, 'row', 'rows')} selected`,
  selectAll: (count: number) => phrase`Select all ${count.toLocaleString('en')} that match`,
  tooMany: (most: number) => phrase`Select the first ${most.toLocaleString('en')} that match`,
  clearSelection: 'Clear selection',
  actions: 'Actions',
  csv: 'Export as CSV',
  reading: (read: number, total: number | null) =>
    total === null
      ? phrase`${read.toLocaleString('en')} so far`
      : phrase`${read.toLocaleString('en')} of ${total.toLocaleString('en')}`,
};
