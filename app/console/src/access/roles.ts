import type { ResourceRole } from '../api';
import type { RoleInfo } from './fragments';

/** Return the granted roles that bring another one along, in the order of the type. */
export function bringersOf(
  role: ResourceRole,
  granted: ReadonlySet<ResourceRole>,
  roles: readonly RoleInfo[],
): readonly RoleInfo[] {
  return roles.filter((info) => granted.has(info.role) && info.impliedRoles.includes(role));
}

/** Return granted roles with the ones they imply, in the order of the type. */
export function withImplied(
  granted: ReadonlySet<ResourceRole>,
  roles: readonly RoleInfo[],
): readonly ResourceRole[] {
  return roles
    .filter(({ role }) => granted.has(role) || bringersOf(role, granted, roles).length > 0)
    .map(({ role }) => role);
}

/** Return the labels of roles in the order of the type. A role that the type does not have keeps its own name. */
export function labelsOf(
  roles: Iterable<ResourceRole>,
  infos: readonly Pick<RoleInfo, 'role' | 'label'>[],
): readonly string[] {
  const own = new Set(roles);
  const matches = infos.filter(({ role }) => own.has(role));
  const labels = new Set(matches.map(({ role }) => role));
  return [...matches.map(({ label }) => label), ...[...own].filter((role) => !labels.has(role))];
}
