import type { PanelResource } from './fragments';
import type { AccessChange } from './operations';

export type OwnSource = PanelResource['viewerAccess']['sources'][number];

/** What becomes of the viewer's own administration of the resource. */
export type OwnAdmin =
  | { readonly kind: 'kept' }
  | { readonly kind: 'lost' }
  /** It ends, and did not before, or it ends earlier. */
  | { readonly kind: 'ends'; readonly at: string };

/** The end of a way; infinite without one. */
const momentOf = (end: string | null): number => (end === null ? Infinity : Date.parse(end));

const latest = (ends: readonly (string | null)[]): string | null =>
  ends.reduce((one, other) => (momentOf(one) >= momentOf(other) ? one : other));

const earlier = (one: string | null, other: string | null): string | null =>
  momentOf(one) <= momentOf(other) ? one : other;

const isOwnGrant = ({ kind, user }: AccessChange, userId: string | null): boolean =>
  kind === 'USER' && user !== null && user.id === userId;

function isAbout(change: AccessChange, source: OwnSource, userId: string | null): boolean {
  return (
    change.kind === source.kind &&
    (change.group === null || change.group.id === source.group?.id) &&
    (change.kind !== 'USER' || isOwnGrant(change, userId))
  );
}

/** Return the end of a way after the change of its grant. A membership that ends earlier keeps its end. */
function endAfter(source: OwnSource, change: AccessChange | undefined): string | null {
  if (change === undefined) {
    return source.expiresAt;
  }
  return source.kind === 'GROUP' ? earlier(source.expiresAt, change.expiresAt) : change.expiresAt;
}

/** Return what a draft does to the viewer's own administration, over all ways that lead to it. */
export function ownAdminAfter(
  changes: readonly AccessChange[],
  sources: readonly OwnSource[],
  userId: string | null,
): OwnAdmin {
  const own = sources.filter(({ effectiveRoles }) => effectiveRoles.includes('ADMIN'));
  const remaining = own.flatMap((source) => {
    const change = changes.find((each) => isAbout(each, source, userId));
    return change?.lost.includes('ADMIN') === true ? [] : [endAfter(source, change)];
  });
  const gained = changes
    .filter((change) => isOwnGrant(change, userId) && change.gained.includes('ADMIN'))
    .map(({ expiresAt }) => expiresAt);
  const after = [...remaining, ...gained];
  if (own.length === 0) {
    return { kind: 'kept' };
  }
  if (after.length === 0) {
    return { kind: 'lost' };
  }
  const end = latest(after);
  const isShorter = momentOf(end) < momentOf(latest(own.map(({ expiresAt }) => expiresAt)));
  return end !== null && isShorter ? { kind: 'ends', at: end } : { kind: 'kept' };
}
