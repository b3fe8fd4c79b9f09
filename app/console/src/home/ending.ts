import type { ResultOf } from '../api';
import type { HomeQuery } from './operations';

type User = NonNullable<ResultOf<typeof HomeQuery>['viewer']['user']>;

/** A membership that ends soon. */
export interface Ending {
  readonly id: string;
  readonly name: string;
  readonly expiresAt: string;
  readonly link: { readonly to: '/organizations/$slug' | '/groups/$slug'; readonly slug: string };
}

const LIMIT = 30 * 24 * 3_600_000;

type Memberships = Pick<User, 'orgs' | 'groups'>;

/** Return what ends within 30 days, the next end first. */
export function endingSoon({ orgs, groups }: Memberships, now: number): readonly Ending[] {
  const all = [
    ...(orgs?.edges ?? []).map(({ expiresAt, node: { id, slug, name } }) => ({
      id,
      name,
      expiresAt,
      link: { to: '/organizations/$slug', slug } as const,
    })),
    ...(groups?.edges ?? []).map(({ expiresAt, node: { id, slug, displayName } }) => ({
      id,
      name: displayName,
      expiresAt,
      link: { to: '/groups/$slug', slug } as const,
    })),
  ];
  const isSoon = (time: number): boolean => time > now && time <= now + LIMIT;
  return all
    .flatMap(({ expiresAt, ...rest }) =>
      expiresAt !== null && isSoon(Date.parse(expiresAt)) ? [{ ...rest, expiresAt }] : [],
    )
    .sort((one, other) => Date.parse(one.expiresAt) - Date.parse(other.expiresAt));
}
