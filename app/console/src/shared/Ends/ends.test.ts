import { expect, test } from 'vitest';
import { endInput, endText } from './ends';

test('an end that was not touched is not sent, and none is cleared', () => {
  expect(endInput(undefined)).toEqual({});
  expect(endInput(null)).toEqual({ clear: ['EXPIRES_AT'] });
  expect(endInput('2099-01-01T00:00:00Z')).toEqual({ expiresAt: '2099-01-01T00:00:00Z' });
});

test('an end is its exact time, or words', () => {
  expect(endText(null)).toBe('Does not end');
  expect(endText('2099-01-01T00:00:00Z')).toContain('2099');
});
