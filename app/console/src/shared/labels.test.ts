import { expect, test } from 'vitest';
import { withLabels } from './labels';

test('a text says labels instead of the names that are known', () => {
  const labels = new Map([['GROUPS_MANAGE', 'Manage Groups']]);
  expect(withLabels('See groups. GROUPS_MANAGE includes it.', labels)).toBe(
    'See groups. Manage Groups includes it.',
  );
  expect(withLabels('MY_GROUPS_MANAGE in JSON', labels)).toBe('MY_GROUPS_MANAGE in JSON');
});
