import type { PasswordPolicy } from '../../api';
import { counted } from '../words';

const lists = new Intl.ListFormat('en', { type: 'conjunction' });

/** Say what a new password needs; null without requirements. */
export function passwordRules(policy: PasswordPolicy | null): string | null {
  if (policy === null) {
    return null;
  }
  const kinds = [
    policy.requiresLowercase ? 'a lower-case letter' : null,
    policy.requiresUppercase ? 'a capital letter' : null,
    policy.requiresDigit ? 'a digit' : null,
    policy.requiresNonAlphanumeric ? 'a character that is neither a letter nor a digit' : null,
  ].filter((kind) => kind !== null);
  const length = `At least ${counted(policy.minLength, 'character', 'characters')}`;
  return kinds.length === 0 ? `${length}.` : `${length}, with ${lists.format(kinds)}.`;
}
