import { expect, test } from 'vitest';
import { checkedOf } from './checked';

test('a check parts the items into those that can be changed and those that are refused', () => {
  const [ann, bob, cleo] = ['ann', 'bob', 'cleo'].map((name) => ({ id: name, name }));
  const items = [ann, bob, cleo].filter((item) => item !== undefined);
  const failure = { kind: 'problem', code: 'PROTECTED', path: [], message: 'Bob is the owner.' } as const;
  const states = new Map([
    ['ann', { kind: 'done' }],
    ['bob', { kind: 'failed', failures: [failure] }],
  ] as const);

  expect(checkedOf(items, states)).toEqual({
    good: [ann],
    refused: [{ item: bob, message: 'Bob is the owner.' }],
  });
});
