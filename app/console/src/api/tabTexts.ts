/* eslint no-restricted-globals: off -- the texts of GraphiQL's tabs, without values and secrets, in this tab of the browser */

const KEY = 'ostiary-graphiql';

/** The texts that a user has in the tabs of GraphiQL. Nobody else gets them. */
export interface TabTexts {
  readonly owner: string;
  readonly items: Readonly<Record<string, string>>;
}

function parse(text: string | null): TabTexts | null {
  const stored: unknown = text === null ? null : JSON.parse(text);
  if (typeof stored !== 'object' || stored === null || !('owner' in stored) || !('items' in stored)) {
    return null;
  }
  const { owner, items } = stored;
  if (typeof owner !== 'string' || typeof items !== 'object' || items === null) {
    return null;
  }
  const texts = Object.entries(items).filter(([, value]) => typeof value === 'string');
  return { owner, items: Object.fromEntries(texts) };
}

export function readTabTexts(): TabTexts | null {
  try {
    return parse(sessionStorage.getItem(KEY));
  } catch {
    return null; // a browser may refuse storage
  }
}

export function keepTabTexts(texts: TabTexts): void {
  try {
    sessionStorage.setItem(KEY, JSON.stringify(texts));
  } catch {
    // They hold until the page is left.
  }
}

/** Throw the texts away: at each sign-out, and when somebody else signs in. */
export function forgetTabTexts(): void {
  try {
    sessionStorage.removeItem(KEY);
  } catch {
    // There is nothing to remove.
  }
}
