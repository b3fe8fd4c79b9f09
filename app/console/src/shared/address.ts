import { useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback } from 'react';

/** The search part of an address: every value is a text, `6644` too. */
export type AddressSearch = Readonly<Record<string, string | undefined>>;

export function parseSearch(text: string): Record<string, string> {
  return Object.fromEntries(new URLSearchParams(text));
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

export type ChangeAddress = (changes: AddressSearch) => void;

/** Return the search of the address, and the function that changes some of it. Undefined removes a value. */
export function useAddress(): readonly [AddressSearch, ChangeAddress] {
  const search = useSearch({ strict: false });
  const navigate = useNavigate();
  const change = useCallback(
    (changes: AddressSearch) => {
      void navigate({
        to: '.',
        search: (old: AddressSearch) => ({ ...old, ...changes }),
        replace: true,
        resetScroll: false,
      });
    },
    [navigate],
  );
  return [search, change];
}
