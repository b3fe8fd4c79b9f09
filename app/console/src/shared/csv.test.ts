import { expect, it } from 'vitest';
import { toCsv } from './csv';

it('begins with the mark and ends lines with CRLF', () => {
  expect(
    toCsv([
      ['a', 'b'],
      ['c', ''],
    ]),
  ).toBe('\uFEFFa,b\r\nc,\r\n');
});

it('keeps formulas as text', () => {
  expect(toCsv([['=1+1', '+1', '-1', '@a', '\tb']])).toBe("\uFEFF'=1+1,'+1,'-1,'@a,\"'\tb\"\r\n");
  expect(toCsv([["'=1", '\uff1d1', "'a"]])).toBe("\uFEFF''=1,'\uff1d1,'a\r\n");
});

it('quotes what has commas, quotes and line ends', () => {
  expect(toCsv([['a,b', 'say "hi"', 'x\ny', '=a,b']])).toBe('\uFEFF"a,b","say ""hi""","x\ny","\'=a,b"\r\n');
});
