import { expect, it } from 'vitest';
import { passwordRules } from './passwordRules';

const policy = {
  minLength: 12,
  requiresDigit: false,
  requiresLowercase: false,
  requiresUppercase: false,
  requiresNonAlphanumeric: false,
};

it('says what a password needs', () => {
  expect(passwordRules(null)).toBeNull();
  expect(passwordRules(policy)).toBe('At least 12 characters.');
  expect(passwordRules({ ...policy, minLength: 1, requiresDigit: true, requiresUppercase: true })).toBe(
    'At least 1 character, with a capital letter and a digit.',
  );
});
