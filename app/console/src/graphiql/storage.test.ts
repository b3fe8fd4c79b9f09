import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { makeOpener } from './storage';

const items = new Map<string, string>();

beforeEach(() => {
  vi.stubGlobal('sessionStorage', {
    getItem: (name: string) => items.get(name) ?? null,
    setItem: (name: string, value: string) => items.set(name, value),
    removeItem: (name: string) => items.delete(name),
  });
});

afterEach(() => {
  items.clear();
  vi.unstubAllGlobals();
});

const state = (query: string) =>
  JSON.stringify({
    tabs: [
      { id: '1', title: 'A', query, variables: '{"a": "v"}', headers: '{"h": "w"}', response: '{"r": "z"}' },
    ],
    activeTabIndex: 0,
  });

test('variables, headers, answers and secrets stay in memory', () => {
  const storage = makeOpener()('ann');
  storage.setItem('graphiql:tabState', state('{ login(password: "quiet") }'));
  storage.setItem('graphiql:headers', '{"Authorization": "Bearer x"}');
  const text = [...items.values()].join();
  expect(text).toContain('login');
  for (const value of ['quiet', 'Bearer', String.raw`"v\\`, String.raw`"w\\`, String.raw`"z\\`]) {
    expect(text).not.toContain(value);
  }
  expect(storage.getItem('graphiql:tabState')).toContain('quiet');
});

test('a reload by the same user has the texts, by another one nothing', () => {
  makeOpener()('ann').setItem('graphiql:query', '{ viewer }');
  expect(makeOpener()('ann').getItem('graphiql:query')).toBe('{ viewer }');
  expect(makeOpener()('bob').getItem('graphiql:query')).toBeNull();
  expect(items.size).toBe(0);
});

test('signing in keeps what was typed, signing out throws everything away', () => {
  const open = makeOpener();
  const anonymous = open(null);
  anonymous.setItem('graphiql:query', '{ orgs }');
  expect(items.size).toBe(0);

  const own = open('ann');
  expect(own.getItem('graphiql:query')).toBe('{ orgs }');
  own.setItem('graphiql:query', '{ groups }');
  expect(items.size).toBe(1);

  expect(open(null).length).toBe(0);
  expect(items.size).toBe(0);
});

test('what an old storage is told late is not kept', () => {
  const open = makeOpener();
  const own = open('ann');
  const next = open(null);
  own.setItem('graphiql:query', '{ groups }');
  expect(next.length).toBe(0);
  expect(items.size).toBe(0);
});
