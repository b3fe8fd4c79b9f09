/** Something that can be picked. */
export interface Option {
  /** What is picked, such as a user name or a slug. */
  readonly value: string;
  /** What stands beside it, such as the name for display. */
  readonly label: string;
}

const plain = (text: string): string => text.trim().toLocaleLowerCase();

/** Return what a typed text picks: the one suggestion that has it as its name, otherwise the text itself. */
export function pickedOf(text: string, options: readonly Option[]): string {
  const isExact = options.some(({ value }) => plain(value) === plain(text));
  const [named, ...others] = options.filter(({ label }) => plain(label) === plain(text));
  return isExact || named === undefined || others.length > 0 ? text : named.value;
}
