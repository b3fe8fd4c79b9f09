/** Letters that are written from right to left, and the marks that turn the direction of what follows. */
const TURNS =
  /[\u0590-\u08ff\u200f\u202a-\u202e\u2066-\u2069\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;
const ISOLATE = '\u2068';
const END = '\u2069';

/** What is isolated already, such as a name in a part of a sentence. */
const ISOLATED = /\u2068[^\u2068\u2069]*\u2069/g;

/** Return a name that changes the order of no word beside it. Names in other scripts stay as they are. */
export const isolated = (name: string): string =>
  TURNS.test(name.replaceAll(ISOLATED, '')) ? ISOLATE + name + END : name;

/** Return names one after the other. */
export const joined = (names: readonly string[]): string => names.map(isolated).join(', ');

/** The tag of each text with names in it: phrase`Edit ${name}`. A lint rule requires it in words.ts. */
export function phrase(texts: TemplateStringsArray, ...names: readonly string[]): string {
  return texts.reduce((all, text, at) => all + isolated(names[at - 1] ?? '') + text);
}
