import { expect, test } from 'vitest';
import { periodFilter } from './period';

test('both days are included', () => {
  const filter = periodFilter('2026-03-01', '2026-03-02');
  expect(filter).toEqual({
    gte: new Date('2026-03-01T00:00').toISOString(),
    lt: new Date('2026-03-03T00:00').toISOString(),
  });
});

test('what is no day is no condition', () => {
  expect(periodFilter(undefined, 'soon')).toBeNull();
  expect(periodFilter('2026-99-99', undefined)).toBeNull();
});
