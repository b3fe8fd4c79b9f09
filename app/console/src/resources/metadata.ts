/** A text as a JSON object, or not one. */
export type Parsed = { readonly isObject: true; readonly value: object } | { readonly isObject: false };

export function parseObject(text: string): Parsed {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? { isObject: true, value }
      : { isObject: false };
  } catch {
    return { isObject: false };
  }
}
