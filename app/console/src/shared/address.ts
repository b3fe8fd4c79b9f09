import { useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback } from 'react';

/** The search part of an address: every value is a text, `6644` too. */
export type AddressSearch = Readonly<Record<string, string | undefined>>;

/** Control characters, which the API refuses in every text. A link that was damaged may have some. */
const CONTROLS = /\p{Cc}/gu;

export function parseSearch(text: string): Record<string, string> {
  const entries = [...new URLSearchParams(text)].map(
    ([name, value]) => [name, value.replaceAll(CONTROLS, '')] as const,
  );
  return Object.fromEntries(entries.filter(([, value]) => value !== ''));
}

export function stringifySearch(search: Readonly<Record<string, unknown>>): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(search)) {
    if (typeof value === 'string' && value !== '') {
      parameters.set(name, value);
    }
  }
  const text = parameters.toString();
  return text === '' ? '' : `?${text}`;
}

/** Change some values; undefined removes one. `isStep: false` adds no step to the history of the browser. */
export type ChangeAddress = (changes: AddressSearch, options?: { readonly isStep?: boolean }) => void;

/** A text that is typed: each key changes it, and one step back would be one key. */
const isTyped = (name: string): boolean => name === 'q' || name.endsWith('.q');

/** Return the search of the address, and the function that changes some of it. */
export function useAddress(): readonly [AddressSearch, ChangeAddress] {
  const search = useSearch({ strict: false });
  const navigate = useNavigate();
  const change = useCallback(
    (changes: AddressSearch, { isStep = true }: { readonly isStep?: boolean } = {}) => {
      void navigate({
        to: '.',
        search: (old: AddressSearch) => ({ ...old, ...changes }),
        replace: !isStep || Object.keys(changes).some(isTyped),
        resetScroll: false,
      });
    },
    [navigate],
  );
  return [search, change];
}
