import { expect, test } from 'vitest';
import { hasUnsaved, noteUnsaved } from './unsaved';

test('input is unsaved while a part says so, until it is forgotten', () => {
  let isEdited = false;
  const forget = noteUnsaved(() => isEdited);
  expect(hasUnsaved()).toBe(false);
  isEdited = true;
  expect(hasUnsaved()).toBe(true);
  forget();
  expect(hasUnsaved()).toBe(false);
});
