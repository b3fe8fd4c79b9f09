/** Words and characters that the API takes at most in a search. */
const MAX_WORDS = 8;
const MAX_CHARACTERS = 200;

/** Return what is asked for a typed text: its first words. With more of them, what was typed is among the matches. */
export function searchText(typed: string): string {
  const words = typed.slice(0, MAX_CHARACTERS).trim().split(/\s+/);
  return words.slice(0, MAX_WORDS).join(' ');
}
