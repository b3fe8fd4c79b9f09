/** Return a list of user names with another one at its end, each once without regard to letter case. */
export function withName(names: readonly string[], typed: string): readonly string[] {
  const name = typed.trim();
  const isThere = names.some((each) => each.toLowerCase() === name.toLowerCase());
  return name === '' || isThere ? names : [...names, name];
}
