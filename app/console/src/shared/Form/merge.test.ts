import { expect, it } from 'vitest';
import { editsOf, merge, settle } from './merge';

const base = { name: 'Corals', description: 'Reefs', roles: ['user'] };

it('lets fields follow that the user has not touched', () => {
  const values = { ...base, name: 'Corals of 2026' };
  const stored = { ...base, description: 'Reefs of the north', roles: ['user', 'auditor'] };
  expect(merge({ base, values, overlaps: [] }, stored)).toEqual({
    base: stored,
    values: { ...stored, name: 'Corals of 2026' },
    overlaps: [],
  });
});

it('keeps what was typed, and names the fields that both have changed', () => {
  const values = { ...base, name: 'Mine', roles: [] };
  const first = merge({ base, values, overlaps: [] }, { ...base, name: 'Theirs' });
  expect(first.values).toEqual(values);
  expect(first.overlaps).toEqual(['name']);
  expect(editsOf(first)).toEqual({ name: 'Mine', roles: [] });

  const second = merge(first, { ...first.base, description: 'Theirs too' });
  expect(second.values.description).toBe('Theirs too');
  expect(second.overlaps).toEqual(['name']);
});

it('has no overlap once both say the same, or the user takes back what they typed', () => {
  const values = { ...base, name: 'Mine' };
  expect(merge({ base, values, overlaps: ['name'] }, values)).toEqual({ base: values, values, overlaps: [] });
  const theirs = { ...base, name: 'Theirs' };
  expect(merge({ base, values: base, overlaps: [] }, theirs)).toEqual({
    base: theirs,
    values: theirs,
    overlaps: [],
  });
});

it('keeps what was typed while it was saved, and takes the rest as it was stored', () => {
  const sent = { ...base, name: '  Corals of 2026 ', roles: ['user', 'auditor'] };
  const stored = { ...sent, name: 'Corals of 2026' };
  const later = { ...sent, description: 'Reefs, typed meanwhile' };
  expect(settle({ base, values: later, overlaps: ['name'] }, stored, sent)).toEqual({
    base: stored,
    values: { ...stored, description: 'Reefs, typed meanwhile' },
    overlaps: [],
  });
  expect(settle({ base, values: later, overlaps: [] }, base).values).toEqual(base);
});
