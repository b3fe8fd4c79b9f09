import { expect, it } from 'vitest';
import { listVariables, readPlace } from './place';

const SORTS = ['NAME', 'CREATED_AT'] as const;
const ORDER = { sort: 'NAME', direction: 'ASC' } as const;

it('reads the place from the address', () => {
  const place = readPlace(
    { q: '6644', sort: 'CREATED_AT', dir: 'DESC', after: 'c', size: '50' },
    SORTS,
    ORDER,
  );
  expect(place).toEqual({
    search: '6644',
    sort: 'CREATED_AT',
    direction: 'DESC',
    after: 'c',
    before: null,
    size: 50,
  });
});

it('ignores what it does not know', () => {
  const place = readPlace({ sort: 'PASSWORD', dir: 'UP', size: '7' }, SORTS, ORDER);
  expect(place).toMatchObject({ sort: 'NAME', direction: 'ASC', size: 20 });
});

it('pages forward and backward', () => {
  expect(listVariables(readPlace({ after: 'c' }, SORTS, ORDER))).toEqual({
    first: 20,
    after: 'c',
    last: null,
    before: null,
    orderBy: [{ field: 'NAME', direction: 'ASC' }],
  });
  expect(listVariables(readPlace({ before: 'c' }, SORTS, ORDER))).toMatchObject({
    first: null,
    after: null,
    last: 20,
    before: 'c',
  });
});
