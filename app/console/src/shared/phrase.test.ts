import { expect, test } from 'vitest';
import { isolated, joined, phrase } from './phrase';

const HEBREW = 'מחקר (2)';
const ARABIC = 'مجموعة';
const TURNED = 'Reef \u202egnp.exe';

test('names from left to right stay as they are', () => {
  expect(phrase`Edit ${'Reef editors'}, ${'Ökologie 🐠'} and ${'研究'}`).toBe(
    'Edit Reef editors, Ökologie 🐠 and 研究',
  );
});

test.each([HEBREW, ARABIC, TURNED])('the name %s turns no word beside it', (name) => {
  expect(isolated(name)).toBe(`\u2068${name}\u2069`);
  expect(phrase`Edit ${name}?`).toBe(`Edit \u2068${name}\u2069?`);
  expect(joined(['Ann', name])).toBe(`Ann, \u2068${name}\u2069`);
});

test('a part of a sentence is not isolated once more', () => {
  expect(phrase`${phrase`${ARABIC} (5 people)`} gain this.`).toBe(
    `\u2068${ARABIC}\u2069 (5 people) gain this.`,
  );
});
