/** Return a text of the API with labels instead of the names of enum values, such as Manage Groups for GROUPS_MANAGE. */
export const withLabels = (text: string, labels: ReadonlyMap<string, string>): string =>
  text.replaceAll(/\b[A-Z][A-Z_]+\b/g, (name) => labels.get(name) ?? name);
