import type { Load, ResultOf } from '../api';
import { dayOf } from '../shared';
import { checkWords as words } from './checkWords';
import type { RoleInfo } from './fragments';
import type { CheckPersonQuery } from './peopleOperations';
import { labelsOf } from './roles';
import { isOrgOwner, sourceText } from './sources';
import { listed } from './words';

type Answer = ResultOf<typeof CheckPersonQuery>;
type Denial = NonNullable<Answer['explainDenial']>[number];

/** What was asked. */
export interface Question {
  readonly userName: string;
  readonly role: RoleInfo;
}

/** Return whether nothing but the user was not found: each part of the answer then says that something is missing. */
export const isUnknownUser = (load: Load<Pick<Answer, 'resource' | 'user'>>): boolean =>
  load.status === 'ready' &&
  load.data.resource !== null &&
  load.data.user === null &&
  load.failures.length > 0 &&
  load.failures.every(({ kind }) => kind === 'notFound');

function denialText(
  { cause, endedAt, group, kind, grantedRoles }: Denial,
  roles: readonly RoleInfo[],
): string {
  const by = kind === null ? words.someWay : (group?.displayName ?? words.kinds[kind]);
  switch (cause) {
    case 'DEACTIVATED':
      return words.deactivated;
    case 'ENDED':
      return endedAt === null ? words.ended(by) : words.endedOn(by, dayOf(endedAt));
    case 'WITHOUT_ROLE':
      return words.without(by, listed(labelsOf(grantedRoles, roles)) || words.noRole);
    case 'NOT_OF_TYPE':
      return words.notOfType;
    case 'NO_ENTRY':
      return words.noEntry;
  }
}

/** Say in sentences whether a user has a role on a resource, and by which ways or why not. */
export function answerText(
  { userName, role }: Question,
  { accessDecision, explainAccess, explainDenial, orgLevels, resource, user }: Answer,
  roles: readonly RoleInfo[],
): readonly string[] {
  const ways = (explainAccess ?? [])
    .filter(({ effectiveRoles }) => effectiveRoles.includes(role.role))
    .map((source) => sourceText(source, { orgLevels, isOrgOwner: isOrgOwner(resource, user) }));
  if (accessDecision === null) {
    return [];
  }
  if (accessDecision.outcome !== 'DENIED') {
    const has = words.has(userName, role.label, listed(ways));
    return accessDecision.outcome === 'LOCKED' ? [has, words.locked] : [has];
  }
  const isOutside = accessDecision.effectiveRoles.length === 0;
  const reasons = (explainDenial ?? []).map((denial) => denialText(denial, roles));
  return [isOutside ? words.noWay(userName) : words.hasNot(userName, role.label), ...reasons];
}
