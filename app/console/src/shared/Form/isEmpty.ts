/** What a field holds. */
export type FieldValue = string | boolean | readonly string[];

/** Return whether nothing was entered. Blanks alone are nothing, except in a password, where they are text. */
export function isEmpty(value: FieldValue, areBlanksText = false): boolean {
  if (typeof value === 'boolean') {
    return false;
  }
  return typeof value === 'string' && !areBlanksText ? value.trim() === '' : value.length === 0;
}
