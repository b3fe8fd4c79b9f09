import { useCallback } from 'react';
import { useClient } from 'urql';
import { FindPersonQuery } from './operations';

/** A person as inputs name them. */
export type PersonRef = { readonly userName: string } | { readonly email: string };

/**
 * Return a function from what was typed to the person. Names of an identity provider may look like e-mail addresses,
 * so a text with `@` is looked up as a name first. One that is neither is taken as an address; the server refuses it.
 */
export function usePersonRef(): (typed: string) => Promise<PersonRef> {
  const client = useClient();
  return useCallback(
    async (typed) => {
      const text = typed.trim();
      if (!text.includes('@')) {
        return { userName: text };
      }
      const { data } = await client
        .query(FindPersonQuery, { text }, { requestPolicy: 'network-only' })
        .toPromise();
      const person = data?.byName ?? data?.byEmail;
      return person == null ? { email: text } : { userName: person.userName };
    },
    [client],
  );
}
