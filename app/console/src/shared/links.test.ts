import { expect, it } from 'vitest';
import { linkParts, safeHref } from './links';

it('links http, https and mailto alone', () => {
  expect(safeHref('https://reef.example/a')).toBe('https://reef.example/a');
  expect(safeHref('mailto:ann@reef.example')).toBe('mailto:ann@reef.example');
  expect(safeHref('javascript:alert(1)')).toBeNull();
  expect(safeHref(' JaVaScRiPt:alert(1)')).toBeNull();
  expect(safeHref('data:text/html,x')).toBeNull();
  expect(safeHref('corals')).toBeNull();
});

it('finds the addresses in a text', () => {
  expect(
    linkParts('Ask the help desk (https://help.example/groups?a=1), or mailto:help@reef.example.'),
  ).toEqual([
    { text: 'Ask the help desk (', href: null },
    { text: 'https://help.example/groups?a=1', href: 'https://help.example/groups?a=1' },
    { text: '),', href: null },
    { text: ' or ', href: null },
    { text: 'help@reef.example', href: 'mailto:help@reef.example' },
    { text: '.', href: null },
  ]);
});

it('leaves other schemes and plain words as text', () => {
  for (const text of ['javascript:alert(1)', 'Ask ann.', 'ftp://x.example data:text/html,x', 'http://']) {
    expect(linkParts(text).filter(({ href }) => href !== null)).toEqual([]);
    expect(
      linkParts(text)
        .map((part) => part.text)
        .join(''),
    ).toBe(text);
  }
});
