import { expect, test } from 'vitest';
import { withName } from './names';

test('a name is added once', () => {
  expect(withName(['ann'], ' bob ')).toEqual(['ann', 'bob']);
  expect(withName(['ann'], 'ANN')).toEqual(['ann']);
});

test('nothing typed is no name', () => {
  expect(withName(['ann'], '  ')).toEqual(['ann']);
});
