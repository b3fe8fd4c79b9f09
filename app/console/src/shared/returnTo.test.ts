import { expect, it } from 'vitest';
import { returnPath } from './returnTo';

const BASE = 'https://registry.example/';
const BELOW = 'https://registry.example/ostiary/';

it('keeps an address of the console', () => {
  expect(returnPath('/settings/users?q=ann#top', BASE)).toBe('/settings/users?q=ann#top');
  expect(returnPath('/', BASE)).toBe('/');
  expect(returnPath('/ostiary/settings/users', BELOW)).toBe('/settings/users');
});

it.each([
  undefined,
  '',
  '//evil.example',
  '/\\evil.example',
  '/\\/evil.example',
  '///evil.example',
  'https://evil.example/settings',
  'javascript:alert(1)',
  'data:text/html,x',
  '/users',
  '/orgs/6644',
  '/login?returnTo=/login',
  'https://registry.example:444/settings',
  '/\t/evil.example',
  'https://',
])('leads %s to the start page', (returnTo) => {
  expect(returnPath(returnTo, BASE)).toBe('/');
});

it('leaves no prefix', () => {
  expect(returnPath('/settings/users', BELOW)).toBe('/');
  expect(returnPath('/ostiary//evil.example', BELOW)).toBe('/');
});
