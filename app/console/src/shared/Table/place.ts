import type { OrderDirection } from '../../api';
import type { AddressSearch } from '../address';

export const SIZES = [20, 50, 100] as const;
const FIRST_SIZE = 20;

/** Where a table stands, as texts in the address. */
export interface Place<Sort extends string> {
  readonly search: string;
  readonly sort: Sort | null;
  readonly direction: OrderDirection;
  readonly after: string | null;
  readonly before: string | null;
  readonly size: number;
}

/** The order of a table at first. */
export interface FirstOrder<Sort extends string> {
  readonly sort: Sort | null;
  readonly direction: OrderDirection;
}

/** The variables of the list. A null is left out by the server. */
export interface ListVariables<Sort extends string> {
  readonly first: number | null;
  readonly after: string | null;
  readonly last: number | null;
  readonly before: string | null;
  readonly orderBy: { field: Sort; direction: OrderDirection }[] | null;
}

export function readPlace<Sort extends string>(
  params: AddressSearch,
  sorts: readonly Sort[],
  { sort, direction }: FirstOrder<Sort>,
  sizes: readonly number[] = SIZES,
): Place<Sort> {
  const own = sorts.find((each) => each === params['sort']);
  return {
    search: params['q'] ?? '',
    sort: own ?? sort,
    direction: params['dir'] === 'ASC' || params['dir'] === 'DESC' ? params['dir'] : direction,
    after: params['after'] ?? null,
    before: params['before'] ?? null,
    size: sizes.find((each) => String(each) === params['size']) ?? sizes[0] ?? FIRST_SIZE,
  };
}

export function listVariables<Sort extends string>(place: Place<Sort>): ListVariables<Sort> {
  const isBackward = place.before !== null;
  return {
    first: isBackward ? null : place.size,
    after: isBackward ? null : place.after,
    last: isBackward ? place.size : null,
    before: place.before,
    orderBy: place.sort === null ? null : [{ field: place.sort, direction: place.direction }],
  };
}

/** Each change of what the list contains begins at its first page. */
export const FIRST_PAGE: AddressSearch = { after: undefined, before: undefined };
