/** What came back for the operation that ran last. */
export interface Answer {
  readonly status: number;
  readonly milliseconds: number;
  readonly bytes: number;
  /** `extensions.stats`, with whatever figures the server has. */
  readonly stats: readonly (readonly [name: string, value: string])[];
  /** The header `Ostiary-Executor`. */
  readonly executor: string | null;
  /** The cursor of the next page of the first list that has one. */
  readonly nextCursor: string | null;
}

type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null;

/** Return the cursor after the first page in an answer that has more. */
export function nextCursorOf(data: unknown): string | null {
  if (!isFields(data)) {
    return null;
  }
  const page = data['pageInfo'];
  if (isFields(page)) {
    return page['hasNextPage'] === true && typeof page['endCursor'] === 'string' ? page['endCursor'] : null;
  }
  for (const inner of Object.values(data)) {
    const cursor = Array.isArray(inner) ? null : nextCursorOf(inner);
    if (cursor !== null) {
      return cursor;
    }
  }
  return null;
}

const figures = new Intl.NumberFormat('en', { maximumFractionDigits: 2 });

/** Return the figures of `extensions.stats` with names in words: `sqlStatements` is "sql statements". */
export function statsOf(body: unknown): Answer['stats'] {
  const extensions = isFields(body) ? body['extensions'] : undefined;
  const stats = isFields(extensions) ? extensions['stats'] : undefined;
  if (!isFields(stats)) {
    return [];
  }
  return Object.entries(stats).flatMap(([name, value]) => {
    const words = name.replaceAll(/([a-z])([A-Z])/g, '$1 $2').toLowerCase();
    const isPlain = ['number', 'string', 'boolean'].includes(typeof value);
    return isPlain
      ? [[words, typeof value === 'number' ? figures.format(value) : String(value)] as const]
      : [];
  });
}

/** Return the codes of an answer's errors. */
export function codesOf(body: unknown): readonly string[] {
  const errors = isFields(body) ? body['errors'] : undefined;
  return Array.isArray(errors)
    ? errors.flatMap((error: unknown) => {
        const extensions = isFields(error) ? error['extensions'] : undefined;
        const code = isFields(extensions) ? extensions['code'] : undefined;
        return typeof code === 'string' ? [code] : [];
      })
    : [];
}

/** Return what the header `Ostiary-Executor` says: by which executor it ran, and why not by a plan. */
export function executorOf(header: string): { readonly name: string; readonly reason: string | null } {
  const [name = '', rest = ''] = header.split(';', 2);
  const [, reason = null] = /reason="([^"]*)"/.exec(rest) ?? [];
  return { name: name.trim(), reason };
}
