import { expect, it } from 'vitest';
import { keptAfter } from './useLast';

const message = '';

it('keeps what a page shows when the server cannot answer, and nothing that is refused now', () => {
  expect(keptAfter([], 'rows')).toBe('rows');
  expect(keptAfter([{ kind: 'unreachable', message }], 'rows')).toBe('rows');
  expect(keptAfter([{ kind: 'unavailable', message }], 'rows')).toBe('rows');
  expect(keptAfter([{ kind: 'wait', message, seconds: 1 }], 'rows')).toBe('rows');
  expect(keptAfter([{ kind: 'internal', message, errorId: null }], 'rows')).toBe('rows');
  expect(keptAfter([{ kind: 'forbidden', message }], 'rows')).toBeNull();
  expect(keptAfter([{ kind: 'signedOut', message }], 'rows')).toBeNull();
  expect(keptAfter([{ kind: 'unreachable', message }], null)).toBeNull();
});
