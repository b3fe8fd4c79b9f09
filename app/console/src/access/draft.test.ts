import { describe, expect, it } from 'vitest';
import type { ResourceRole } from '../api';
import { apply, diff, isSameEntry, reapply, withEntry, withRole } from './draft';
import type { Draft, Entry } from './draft';

const ROLES: readonly ResourceRole[] = [
  'METADATA_READ',
  'METADATA_WRITE',
  'DATASET_DATA_READ',
  'DATASET_DATA_WRITE',
  'ADMIN',
];
const ENDS = [null, '2027-01-01T00:00:00.000001Z', '2025-01-01T00:00:00Z'] as const;

/** Return numbers below 1 that are the same in each run. */
function makeRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
}

function randomEntry(random: () => number): Entry {
  return {
    roles: new Set(ROLES.filter(() => random() < 0.4)),
    expiresAt: ENDS[Math.floor(random() * ENDS.length)] ?? null,
  };
}

function randomDraft(random: () => number): Draft {
  let draft = withEntry(new Map(), 'general', randomEntry(random));
  if (random() < 0.5) {
    draft = withEntry(draft, 'anyone', randomEntry(random));
  }
  for (let index = 0; index < 12; index += 1) {
    if (random() < 0.6) {
      draft = withEntry(draft, `${index % 2 === 0 ? 'group' : 'user'}:${String(index)}`, randomEntry(random));
    }
  }
  return draft;
}

const entry = (...roles: readonly ResourceRole[]): Entry => ({ roles: new Set(roles), expiresAt: null });
const base: Draft = new Map([
  ['general', entry('METADATA_READ')],
  ['group:1', entry('METADATA_WRITE')],
  ['user:ann', entry('ADMIN')],
]);

describe('diff', () => {
  it('leads from any draft to any other when it is applied', () => {
    const random = makeRandom(17);
    for (let run = 0; run < 500; run += 1) {
      const [from, to] = [randomDraft(random), randomDraft(random)];
      expect(diff(apply(diff(from, to), from), to)).toEqual([]);
      expect(diff(to, to)).toEqual([]);
    }
  });

  it('has no entry for a role that is off and on again, in any order', () => {
    const general = entry('METADATA_READ', 'DATASET_DATA_READ');
    const off = withRole(withRole(general, 'METADATA_READ', false), 'DATASET_DATA_READ', false);
    const on = withRole(withRole(off, 'DATASET_DATA_READ', true), 'METADATA_READ', true);
    expect(diff(new Map([['general', general]]), new Map([['general', on]]))).toEqual([]);
  });

  it('compares ends as moments', () => {
    const one = { ...entry(), expiresAt: '2027-01-01T00:00:00.000000Z' };
    expect(isSameEntry(one, { ...one, expiresAt: '2027-01-01T01:00:00+01:00' })).toBe(true);
    expect(isSameEntry(one, { ...one, expiresAt: null })).toBe(false);
  });
});

describe('withEntry', () => {
  it('keeps general access without roles, and removes anyone without roles', () => {
    expect(withEntry(base, 'general', null).get('general')).toEqual(entry());
    expect(withEntry(base, 'anyone', entry()).has('anyone')).toBe(false);
  });
});

describe('reapply', () => {
  it('keeps edits of different rows of both', () => {
    const mine = withEntry(base, 'group:1', null);
    const theirs = withEntry(base, 'user:ann', entry('METADATA_READ'));
    const result = reapply(base, mine, theirs);
    expect(result.overlaps).toEqual([]);
    expect(diff(result.draft, withEntry(theirs, 'group:1', null))).toEqual([]);
  });

  it('names rows that both changed differently, and keeps the own edit', () => {
    const mine = withEntry(base, 'group:1', entry('ADMIN'));
    const theirs = withEntry(base, 'group:1', null);
    const result = reapply(base, mine, theirs);
    expect(result.overlaps).toEqual([{ key: 'group:1', theirs: null }]);
    expect(result.draft.get('group:1')).toEqual(entry('ADMIN'));
  });

  it('has nothing left if both made the same change', () => {
    const mine = withEntry(base, 'group:1', null);
    const result = reapply(base, mine, new Map(mine));
    expect(result.overlaps).toEqual([]);
    expect(diff(mine, result.draft)).toEqual([]);
  });

  it('keeps what others did for any three drafts', () => {
    const random = makeRandom(4);
    for (let run = 0; run < 300; run += 1) {
      const [start, mine, theirs] = [randomDraft(random), randomDraft(random), randomDraft(random)];
      const own = new Set(diff(start, mine).map(({ key }) => key));
      const { draft } = reapply(start, mine, theirs);
      for (const { key } of diff(theirs, draft)) {
        expect(own.has(key)).toBe(true);
      }
    }
  });
});
