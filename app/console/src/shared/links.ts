const SCHEMES = new Set(['http:', 'https:', 'mailto:']);

/** Return an address from data if it may be a link; otherwise null, and it is shown as text. */
export function safeHref(text: string): string | null {
  if (!URL.canParse(text)) {
    return null;
  }
  const address = new URL(text);
  return SCHEMES.has(address.protocol) ? address.href : null;
}
