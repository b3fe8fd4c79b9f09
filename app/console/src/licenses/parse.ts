export interface PackageLicense {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly text: string;
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

function parseOne(entry: unknown): PackageLicense {
  const fields: Readonly<Record<string, unknown>> = Object.fromEntries(Object.entries(entry ?? {}));
  return {
    name: textOf(fields['name']),
    version: textOf(fields['version']),
    license: textOf(fields['license']),
    text: textOf(fields['text']),
  };
}

/** Read the list that the build writes. */
export const parseLicenses = (data: unknown): readonly PackageLicense[] =>
  Array.isArray(data) ? data.map(parseOne) : [];
