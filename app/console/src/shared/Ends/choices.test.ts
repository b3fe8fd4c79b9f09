import { expect, it } from 'vitest';
import { momentOf } from './choices';

const NOW = Date.parse('2026-05-03T12:00:00Z');

it('turns each choice into a moment', () => {
  expect(momentOf('none', NOW)).toBeNull();
  expect(momentOf('days30', NOW)).toBe('2026-06-02T12:00:00.000Z');
  expect(momentOf('days90', NOW)).toBe('2026-08-01T12:00:00.000Z');
  expect(momentOf('year', NOW)).toBe('2027-05-03T12:00:00.000Z');
  expect(momentOf('date', NOW)).toBeUndefined();
});
