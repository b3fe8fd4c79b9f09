const SCHEMES = new Set(['http:', 'https:', 'mailto:']);
const ADDRESSES = /((?:https?:\/\/|mailto:)\S+)/i;
const END = /[.,;:!?)\]}>"']+$/;

/** Return an address from data if it may be a link; otherwise null, and it is shown as text. */
export function safeHref(text: string): string | null {
  if (!URL.canParse(text)) {
    return null;
  }
  const address = new URL(text);
  return SCHEMES.has(address.protocol) ? address.href : null;
}

/** A part of a text: a link if it has an address. */
export interface TextPart {
  readonly text: string;
  readonly href: string | null;
}

/** Return a text with the addresses in it apart. Punctuation at the end of one belongs to the sentence. */
export function linkParts(text: string): readonly TextPart[] {
  return text
    .split(ADDRESSES)
    .flatMap((piece, index) => {
      if (index % 2 === 0) {
        return [{ text: piece, href: null }];
      }
      const end = END.exec(piece)?.[0] ?? '';
      const address = piece.slice(0, piece.length - end.length);
      const link = { text: address.replace(/^mailto:/i, ''), href: safeHref(address) };
      return [link, { text: end, href: null }];
    })
    .filter((part) => part.text !== '');
}
