import { useMemo } from 'react';
import type { OrderDirection } from '../../api';
import type { AddressSearch } from '../address';
import { searchText } from '../search';
import { FIRST_PAGE, SIZES, listVariables, readPlace } from './place';
import type { ListVariables, Place } from './place';
import { useParams } from './useParams';
import type { Keeping } from './useParams';
import { useSelection } from './useSelection';
import type { Selection } from './useSelection';

export interface TableOptions<Sort extends string> {
  /** The fields by which the API orders the list. */
  readonly sorts?: readonly Sort[];
  readonly sort?: NoInfer<Sort>;
  readonly direction?: OrderDirection;
  /** Keeps two tables of one page apart in the address. */
  readonly name?: string;
  /** In the address (for pages) or in memory (for dialogs). */
  readonly keeping?: Keeping;
  /** The choices of rows per page; the first is the size at first. */
  readonly sizes?: readonly number[];
}

/** The place, filter and selection of a table. */
export interface TableState<Sort extends string> {
  readonly place: Place<Sort>;
  readonly sizes: readonly number[];
  /** Spread these into the variables of the operation. */
  readonly variables: ListVariables<Sort>;
  /** The search text; null if there is none. */
  readonly search: string | null;
  /** Return the value of a filter in the address. */
  readonly filter: (name: string) => string | undefined;
  readonly setFilter: (name: string, value: string | undefined) => void;
  readonly isFiltered: boolean;
  readonly clearFilters: () => void;
  /** Change the place itself: `q`, `sort`, `dir`, `after`, `before`, `size`. */
  readonly go: (changes: AddressSearch) => void;
  readonly selection: Selection;
}

const PLACE_NAMES = new Set(['sort', 'dir', 'after', 'before', 'size', 'tab']);

const isFilter = ([name, value]: readonly [string, string | undefined]): boolean =>
  !PLACE_NAMES.has(name) && !name.includes('.') && value !== undefined;

const NO_SORTS: readonly never[] = [];

/** `sorts` and `sizes` are constants of the caller's module: with new ones in each render, the table is made again. */
export function useTable<Sort extends string = never>(options: TableOptions<Sort> = {}): TableState<Sort> {
  const {
    sorts = NO_SORTS,
    sort,
    direction = 'ASC',
    name = '',
    keeping = 'address',
    sizes = SIZES,
  } = options;
  const [params, go] = useParams(keeping, name);
  const selection = useSelection();
  return useMemo(() => {
    const place = readPlace(params, sorts, { sort: sort ?? null, direction }, sizes);
    const filters = Object.entries(params).filter(isFilter);
    const search = searchText(place.search);
    return {
      place,
      sizes,
      variables: listVariables(place),
      search: search === '' ? null : search,
      filter: (filterName) => params[filterName],
      setFilter: (filterName, value) => go({ ...FIRST_PAGE, [filterName]: value }),
      isFiltered: filters.length > 0,
      clearFilters: () =>
        go({ ...FIRST_PAGE, ...Object.fromEntries(filters.map(([filterName]) => [filterName, undefined])) }),
      go,
      selection,
    };
  }, [params, sorts, sort, direction, sizes, go, selection]);
}
