import type { ResultOf } from '../api';
import type { HomeQuery } from './operations';

type User = NonNullable<ResultOf<typeof HomeQuery>['viewer']['user']>;

/** A membership that ends soon, or roles of the user's own on a resource. */
export interface Ending {
  readonly kind: 'org' | 'group' | 'resource';
  readonly id: string;
  /** The slug of an organization or a group, the id of a resource. */
  readonly key: string;
  readonly name: string;
  readonly expiresAt: string;
}

const LIMIT = 30 * 24 * 3_600_000;

type Belongings = Pick<User, 'orgs' | 'groups' | 'grants'>;

/** Return what ends within 30 days, the next end first. */
export function endingSoon({ orgs, groups, grants }: Belongings, now: number): readonly Ending[] {
  const all = [
    ...(orgs?.edges ?? []).map(({ expiresAt, node: { id, slug, name } }) => ({
      kind: 'org' as const,
      id,
      key: slug,
      name,
      expiresAt,
    })),
    ...(groups?.edges ?? []).map(({ expiresAt, node: { id, slug, displayName } }) => ({
      kind: 'group' as const,
      id,
      key: slug,
      name: displayName,
      expiresAt,
    })),
    ...(grants?.edges ?? [])
      .filter(({ roles }) => roles.length > 0)
      .map(({ expiresAt, node: { id, name } }) => ({
        kind: 'resource' as const,
        id,
        key: id,
        name,
        expiresAt,
      })),
  ];
  const isSoon = (time: number): boolean => time > now && time <= now + LIMIT;
  return all
    .flatMap(({ expiresAt, ...rest }) =>
      expiresAt !== null && isSoon(Date.parse(expiresAt)) ? [{ ...rest, expiresAt }] : [],
    )
    .sort((one, other) => Date.parse(one.expiresAt) - Date.parse(other.expiresAt));
}
