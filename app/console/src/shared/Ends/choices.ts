import { endAfterDays, endAfterYear } from '../times';

/** How an end was chosen. The moment itself is what counts; it is fixed when it is chosen. */
export const END_KINDS = ['none', 'days30', 'days90', 'year', 'date'] as const;
export type EndKind = (typeof END_KINDS)[number];

/** Return the moment of a choice; null for no end, undefined if a date is still to be typed. */
export function momentOf(kind: EndKind, now: number): string | null | undefined {
  switch (kind) {
    case 'none':
      return null;
    case 'days30':
      return endAfterDays(30, now);
    case 'days90':
      return endAfterDays(90, now);
    case 'year':
      return endAfterYear(now);
    case 'date':
      return undefined;
  }
}
