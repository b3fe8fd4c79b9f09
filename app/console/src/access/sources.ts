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

function wayOf({ kind, group, orgLevel }: Source): string {
  switch (kind) {
    case 'GROUP':
      return words.byGroup(group?.displayName ?? null);
    case 'ORG':
      return words.byOrg(orgLevel === null ? null : words.levels[orgLevel]);
    default:
      return words.ways[kind];
  }
}

/** Say how roles are come to, and until when: "by Reef editors until 3 May 2027". */
export function sourceText(source: Source): string {
  return source.expiresAt === null
    ? wayOf(source)
    : `${wayOf(source)} ${words.until(dayOf(source.expiresAt))}`;
}
