import type { OrgLevel } from '../api';
import { dayOf } from '../shared';
import { words } from './words';

/** A way to roles, as the API explains it. */
export interface Source {
  readonly kind: 'ANYONE' | 'GENERAL' | 'GROUP' | 'USER' | 'ORG' | 'OWNER' | 'PERMISSION';
  readonly group: { readonly displayName: string } | null;
  readonly orgLevel: OrgLevel | null;
  readonly expiresAt: string | null;
}

/** What the words for a source need beside it. */
export interface SourceContext {
  /** The levels with the labels of the API. */
  readonly orgLevels: readonly { readonly level: OrgLevel; readonly label: string }[];
  /** Whether the user owns the organization, which counts as its highest level. Null if that is not visible. */
  readonly isOrgOwner: boolean | null;
}

interface OwnedResource {
  readonly org: { readonly owner: { readonly id: string } | null } | null;
}

/** Return whether a user owns the organization of a resource; null if that is not visible. */
export function isOrgOwner(
  resource: OwnedResource | null,
  user: { readonly id: string } | null,
): boolean | null {
  const owner = resource?.org?.owner ?? null;
  return owner === null || user === null ? null : owner.id === user.id;
}

function orgWay(level: OrgLevel | null, context: SourceContext): string {
  if (context.isOrgOwner === true) {
    return words.byOwnedOrg;
  }
  const label = context.orgLevels.find((each) => each.level === level)?.label ?? null;
  return level === 'ADMIN' && context.isOrgOwner === null ? words.byOrgOrOwned : words.byOrg(label);
}

/** Say how roles are come to: "by Reef editors". */
export function wayText(
  { kind, group, orgLevel }: Omit<Source, 'expiresAt'>,
  context: SourceContext,
): string {
  switch (kind) {
    case 'GROUP':
      return words.byGroup(group?.displayName ?? null);
    case 'ORG':
      return orgWay(orgLevel, context);
    default:
      return words.ways[kind];
  }
}

/** Say how roles are come to, and until when: "by Reef editors until 3 May 2027". */
export function sourceText(source: Source, context: SourceContext): string {
  const text = wayText(source, context);
  return source.expiresAt === null ? text : `${text} ${words.until(dayOf(source.expiresAt))}`;
}
