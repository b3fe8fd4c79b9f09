import { expect, it } from 'vitest';
import { NO_ROLES } from './draft';
import { panelReducer, startPanel } from './panel';
import { filterRows, pageOf, rowsOf } from './rows';

const group = (id: string, displayName: string) => ({
  roles: [],
  expiresAt: null,
  grantedAt: null,
  grantedByName: null,
  grantedBy: null,
  group: { id, slug: id, displayName, description: '', memberCount: 1 },
});
const start = startPanel({
  revision: 1,
  general: { roles: [], expiresAt: null, grantedAt: null, grantedByName: null, grantedBy: null },
  anyone: null,
  groups: [group('a', 'Algae'), group('b', 'Reef editors')],
  users: [],
});

it('shows removed rows in their places and added ones at the end', () => {
  const removed = panelReducer(start, { kind: 'edit', key: 'group:a', entry: null });
  const more = {
    kind: 'group',
    id: 'c',
    slug: 'c',
    name: 'Corals',
    description: '',
    memberCount: 2,
  } as const;
  const added = panelReducer(removed, { kind: 'add', subjects: [more] });
  expect(rowsOf(added, 'group').map(({ key, state }) => [key, state])).toEqual([
    ['group:a', 'removed'],
    ['group:b', 'same'],
    ['group:c', 'added'],
  ]);
  const gone = panelReducer(added, { kind: 'edit', key: 'group:c', entry: null });
  expect(rowsOf(gone, 'group')).toHaveLength(2);
  expect(rowsOf(panelReducer(gone, { kind: 'undo', key: 'group:a' }), 'group')[0]?.state).toBe('same');
  expect(added.draft.get('group:c')).toEqual(NO_ROLES);
});

it('searches all rows', () => {
  const rows = rowsOf(start, 'group');
  expect(filterRows(rows, { search: 'REEF ed', onlyChanged: false })).toHaveLength(1);
  expect(filterRows(rows, { search: '', onlyChanged: true })).toHaveLength(0);
});

it('pages forward and backward', () => {
  const rows = [...Array(120).keys()];
  const first = pageOf(rows, { after: null, before: null, size: 50 });
  expect([first.nodes[0], first.nodes.length, first.pageInfo.endCursor]).toEqual([0, 50, '49']);
  const last = pageOf(rows, { after: '99', before: null, size: 50 });
  expect([last.nodes[0], last.nodes.length, last.pageInfo.hasNextPage]).toEqual([100, 20, false]);
  expect(pageOf(rows, { after: null, before: '100', size: 50 }).nodes[0]).toBe(50);
  expect(pageOf(rows.slice(0, 60), { after: '99', before: null, size: 50 }).nodes[0]).toBe(50);
});
