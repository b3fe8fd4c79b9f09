import { expect, it } from 'vitest';
import { safeHref } from './links';

it('links http, https and mailto alone', () => {
  expect(safeHref('https://reef.example/a')).toBe('https://reef.example/a');
  expect(safeHref('mailto:ann@reef.example')).toBe('mailto:ann@reef.example');
  expect(safeHref('javascript:alert(1)')).toBeNull();
  expect(safeHref(' JaVaScRiPt:alert(1)')).toBeNull();
  expect(safeHref('data:text/html,x')).toBeNull();
  expect(safeHref('corals')).toBeNull();
});
