import { expect, test } from 'vitest';
import { isOrgOwner, sourceText } from './sources';
import type { Source } from './sources';

const BY_ORG: Source = { kind: 'ORG', group: null, orgLevel: 'ADMIN', expiresAt: null };
const LEVELS = [{ level: 'ADMIN', label: 'Admin' }] as const;
const textFor = (owns: boolean | null): string => sourceText(BY_ORG, { orgLevels: LEVELS, isOrgOwner: owns });

test('the owner of an organization is no member of it, and levels have the labels of the API', () => {
  expect(textFor(true)).toBe('as the owner of the organization');
  expect(textFor(false)).toBe('as a member of the organization (Admin)');
  expect(textFor(null)).toBe('as the owner or an administrator of the organization');
});

test('whether a user owns the organization is unknown if the owner is hidden', () => {
  const owned = { org: { owner: { id: 'a' } } };
  expect(isOrgOwner(owned, { id: 'a' })).toBe(true);
  expect(isOrgOwner(owned, { id: 'b' })).toBe(false);
  expect([isOrgOwner({ org: null }, { id: 'a' }), isOrgOwner({ org: { owner: null } }, { id: 'a' })]).toEqual(
    [null, null],
  );
});
