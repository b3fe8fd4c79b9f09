import { expect, it } from 'vitest';
import { parseObject } from './metadata';

it('takes JSON objects alone', () => {
  expect(parseObject('{"depth": 12}')).toEqual({ isObject: true, value: { depth: 12 } });
  for (const text of ['', '[]', 'null', '12', '{"a":', '"text"']) {
    expect(parseObject(text)).toEqual({ isObject: false });
  }
});
