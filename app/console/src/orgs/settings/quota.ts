const MEGABYTE = 1024 * 1024;
const DIGITS = /^\d{1,10}$/;

/** Return a quota as text in MB, as settings and attributes of users have it. Empty for none. */
export function toMegabytes(bytes: number | null): string {
  return bytes === null ? '' : String(Math.round((bytes / MEGABYTE) * 100) / 100);
}

/** Return the bytes of such a text: null for no quota, undefined if it is no whole number. */
export function fromMegabytes(text: string): number | null | undefined {
  const trimmed = text.trim();
  if (trimmed === '') {
    return null;
  }
  const bytes = DIGITS.test(trimmed) ? Number(trimmed) * MEGABYTE : Number.NaN;
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}
