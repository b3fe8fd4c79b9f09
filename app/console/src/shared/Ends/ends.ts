import { exactTime } from '../times';
import { words } from './words';

interface EndInput {
  readonly expiresAt?: string;
  readonly clear?: ['EXPIRES_AT'];
}

/** Return the fields of an input that change an end: undefined leaves it as it is, null removes it. */
export function endInput(end: string | null | undefined): EndInput {
  if (end === undefined) {
    return {};
  }
  return end === null ? { clear: ['EXPIRES_AT'] } : { expiresAt: end };
}

/** Return an end in words. */
export const endText = (end: string | null): string => (end === null ? words.none : exactTime(end));
