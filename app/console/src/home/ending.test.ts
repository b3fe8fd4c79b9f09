import { expect, it } from 'vitest';
import { endingSoon } from './ending';

const NOW = Date.parse('2026-05-03T12:00:00Z');
const group = (slug: string, expiresAt: string | null) => ({
  expiresAt,
  node: { id: slug, slug, displayName: slug },
});

it('lists what ends within 30 days, the next end first', () => {
  const groups = {
    edges: [
      group('late', '2026-06-02T12:00:00Z'),
      group('never', null),
      group('over', '2026-05-03T11:59:59Z'),
      group('later', '2026-06-02T12:00:01Z'),
      group('soon', '2026-05-04T12:00:00Z'),
    ],
  };
  expect(endingSoon({ orgs: null, groups, grants: null }, NOW).map(({ name }) => name)).toEqual([
    'soon',
    'late',
  ]);
});

it('lists roles of their own on resources, but no entry without a role', () => {
  const entry = (name: string, roles: ('METADATA_READ' | 'ADMIN')[]) => ({
    expiresAt: '2026-05-04T12:00:00Z',
    roles,
    node: { id: name, name },
  });
  const grants = { edges: [entry('Corals', ['METADATA_READ']), entry('Kelp', [])] };
  expect(endingSoon({ orgs: null, groups: null, grants }, NOW).map(({ name }) => name)).toEqual(['Corals']);
});
