import { expect, test } from 'vitest';
import { hasInput, newDialogState } from './dialogContext';
import type { DialogState } from './dialogContext';

const stateWith = (...kinds: readonly (keyof DialogState)[]): DialogState => {
  const state = newDialogState();
  kinds.forEach((kind) => state[kind].add(Symbol(kind)));
  return state;
};

test('an edited field is input that would be lost', () => {
  expect(hasInput(stateWith())).toBe(false);
  expect(hasInput(stateWith('edited'))).toBe(true);
});

test('a form that knows what is unsaved decides for its fields', () => {
  expect(hasInput(stateWith('edited', 'exact'))).toBe(false);
  expect(hasInput(stateWith('edited', 'exact', 'unsaved'))).toBe(true);
});

test('a change that runs is not input', () => {
  expect(hasInput(stateWith('busy'))).toBe(false);
});
