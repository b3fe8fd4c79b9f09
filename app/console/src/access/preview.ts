import type { ResourceRole } from '../api';
import { dayOf, isSameMoment, phrase } from '../shared';
import type { Edit } from './draft';
import type { RoleInfo } from './fragments';
import type { AccessChange } from './operations';
import type { OwnAdmin } from './ownAdmin';
import { labelsOf } from './roles';
import { ANYONE, GENERAL, groupKey, userKey } from './subjects';
import type { SubjectKey } from './subjects';
import { listed, words } from './words';

/** Something to confirm by a tick of its own before the draft is submitted. */
export interface Warning {
  readonly key: string;
  readonly text: string;
}

export function changeKey({ kind, group, user }: AccessChange): SubjectKey | null {
  switch (kind) {
    case 'GENERAL':
      return GENERAL;
    case 'ANYONE':
      return ANYONE;
    case 'GROUP':
      return group === null ? null : groupKey(group.id);
    case 'USER':
      return user === null ? null : userKey(user.userName);
    default:
      return null;
  }
}

function nameOf({ kind, group, user, userCount }: AccessChange): string {
  if (group !== null) {
    const name = group.displayName;
    return userCount === null ? name : words.withCount(name, userCount);
  }
  if (user !== null) {
    return user.displayName ?? user.userName;
  }
  return kind === 'ANYONE' ? words.anyoneAtAll : words.everybody;
}

/** Return gained roles without those that another gained role brings along. */
function topmost(gained: readonly ResourceRole[], roles: readonly RoleInfo[]): readonly ResourceRole[] {
  const own = new Set(gained);
  return gained.filter(
    (role) =>
      !roles.some((info) => own.has(info.role) && info.role !== role && info.impliedRoles.includes(role)),
  );
}

/** Say what changes for a subject that keeps its roles. */
function quietSentence(who: string, isMany: boolean, edit: Edit | undefined): string {
  const after = edit?.after ?? null;
  if (edit === undefined || after === null || after.roles.size === 0) {
    return words.noRoleYet(who, isMany);
  }
  if (edit.before !== null && !isSameMoment(edit.before.expiresAt, after.expiresAt)) {
    return after.expiresAt === null ? words.noEnd(who) : words.newEnd(who, dayOf(after.expiresAt));
  }
  return words.sameRoles(who, isMany);
}

/** Say in a sentence who gains and who loses what. */
export function sentenceOf(
  change: AccessChange,
  roles: readonly RoleInfo[],
  edits: ReadonlyMap<SubjectKey, Edit>,
): string {
  const isMany = change.kind === 'GROUP';
  const who = nameOf(change);
  const { gained, lost, expiresAt } = change;
  const until = expiresAt === null ? '' : ` ${words.until(dayOf(expiresAt))}`;
  const parts = [
    ...(gained.length > 0
      ? [`${words.gain(isMany)} ${listed(labelsOf(topmost(gained, roles), roles))}${until}`]
      : []),
    ...(lost.length > 0 ? [`${words.lose(isMany)} ${listed(labelsOf(lost, roles))}`] : []),
  ];
  return parts.length === 0
    ? quietSentence(who, isMany, edits.get(changeKey(change) ?? ''))
    : phrase`${who} ${listed(parts)}.`;
}

/** Say by which other ways a user may keep a lost role: not by general access that loses roles itself. */
export function lossNote(changes: readonly AccessChange[]): string | null {
  const losses = changes.filter(({ lost }) => lost.length > 0);
  return losses.length === 0 ? null : words.otherAccessKept(losses.some(({ kind }) => kind === 'GENERAL'));
}

const isWide = (role: ResourceRole): boolean => role === 'ADMIN' || role.startsWith('DATASET_DATA');

function ownWarnings(fate: OwnAdmin): readonly Warning[] {
  switch (fate.kind) {
    case 'kept':
      return [];
    case 'lost':
      return [{ key: 'own', text: words.ownAdmin }];
    case 'ends':
      return [{ key: 'own', text: words.ownAdminEnds(dayOf(fate.at)) }];
  }
}

/** Return what a draft needs a tick for: data for everybody, and the loss or an end of the own administration. */
export function warningsOf(
  changes: readonly AccessChange[],
  roles: readonly RoleInfo[],
  fate: OwnAdmin,
): readonly Warning[] {
  const wide = changes
    .filter(({ kind, gained }) => (kind === 'GENERAL' || kind === 'ANYONE') && gained.some(isWide))
    .map((change) => ({
      key: change.kind,
      text: words.wide(nameOf(change), labelsOf(topmost(change.gained, roles), roles)),
    }));
  return [...wide, ...ownWarnings(fate)];
}
