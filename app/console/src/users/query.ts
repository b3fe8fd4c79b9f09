import type { VariablesOf } from '../api';
import type { UsersQuery } from './operations';

export type UserFilter = NonNullable<VariablesOf<typeof UsersQuery>['filter']>;

export const DEACTIVATED = 'deactivated';

/** What the address says about which users to list. */
export interface UserChoice {
  readonly search: string | null;
  readonly role: string | undefined;
  /** A day such as 2027-05-03. */
  readonly notSince: string | undefined;
  readonly state: string | undefined;
}

/** Return the filter of the API for what was chosen. */
export function filterOf({ search, role, notSince, state }: UserChoice): UserFilter {
  const all: UserFilter[] = [];
  if (search !== null) {
    all.push({ search });
  }
  if (role !== undefined) {
    all.push({ roleName: { eq: role } });
  }
  const day = notSince === undefined ? Number.NaN : Date.parse(`${notSince}T00:00`);
  if (!Number.isNaN(day)) {
    const before = new Date(day).toISOString();
    all.push({ or: [{ lastLoginAt: { lt: before } }, { lastLoginAt: { isNull: true } }] });
  }
  if (state === 'service') {
    all.push({ isServiceAccount: true });
  } else if (state === 'active' || state === 'deactivated') {
    all.push({ isDeactivated: state === 'deactivated' });
  }
  return { and: all };
}
