import { expect, it } from 'vitest';
import { namedFailures } from './batch';

it('names the resource of an error', () => {
  const problem = { kind: 'problem', code: 'INVALID_INPUT', message: 'No such role.' } as const;
  const items = [
    { id: 'a', name: 'Corals' },
    { id: 'b', name: 'Algae' },
  ];
  expect(namedFailures([{ ...problem, path: ['input', 'grants', '1', 'roles'] }], items)).toEqual([
    { ...problem, path: [], message: 'Algae: No such role.' },
  ]);
  const other = { ...problem, path: ['input', 'grants', '7'] };
  expect(namedFailures([other], items)).toEqual([other]);
});
