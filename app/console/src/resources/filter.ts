import type { ResourceRole, VariablesOf } from '../api';
import { startOfDay } from '../shared';
import type { ResourcesQuery } from './operations';

type ResourceFilter = NonNullable<VariablesOf<typeof ResourcesQuery>['filter']>;

/** What the address says about the list. */
export interface FilterTexts {
  readonly search: string | null;
  readonly type: string | undefined;
  readonly org: string | undefined;
  readonly owner: string | undefined;
  readonly lock: string | undefined;
  /** A local day, as `2026-03-01`. */
  readonly since: string | undefined;
  readonly role: ResourceRole | undefined;
}

/** Return the filter of the API. */
export function filterOf({ search, type, org, owner, lock, since, role }: FilterTexts): ResourceFilter {
  const gte = startOfDay(since);
  return {
    ...(search === null ? {} : { search }),
    ...(type === undefined ? {} : { type: { eq: type } }),
    ...(org === undefined ? {} : { orgSlug: { eq: org } }),
    ...(owner === undefined ? {} : { ownerUserName: { eq: owner } }),
    ...(lock === undefined ? {} : { isLocked: lock === 'yes' }),
    ...(gte === null ? {} : { updatedAt: { gte } }),
    ...(role === undefined ? {} : { viewerRole: role }),
  };
}
