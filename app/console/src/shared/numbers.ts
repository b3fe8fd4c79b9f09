/** Return whether the text of a JSON value has a whole number, or one too large, that JavaScript cannot keep. */
export function hasUnsafeNumber(json: string): boolean {
  const numbers =
    json.replaceAll(/"(?:[^"\\]|\\.)*"/g, '""').match(/-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g) ?? [];
  return numbers
    .map(Number)
    .some((value) => !Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value)));
}
