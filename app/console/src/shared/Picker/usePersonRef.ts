import { useCallback, useState } from 'react';
import { useClient } from 'urql';
import { failuresOf } from '../../api';
import { FindPersonQuery } from './operations';
import { words } from './words';

/** A person as inputs name them. */
export type PersonRef = { readonly userName: string } | { readonly email: string };

interface Looked {
  readonly person: PersonRef;
  /** Why the address could not be looked up; null if the server answered. */
  readonly failure: string | null;
}

/** How a text is looked up. */
interface LookUp {
  /** True if a name without `@` is asked for as well; otherwise the server refuses an unknown one later. */
  readonly asksForNames: boolean;
}

/** Names of an identity provider may look like email addresses, so a text with `@` is looked up as a name first. */
async function lookUp(
  client: ReturnType<typeof useClient>,
  typed: string,
  { asksForNames }: LookUp,
): Promise<Looked> {
  const text = typed.trim();
  if (!text.includes('@') && !asksForNames) {
    return { person: { userName: text }, failure: null };
  }
  const options = { requestPolicy: 'network-only' } as const;
  const { data, error } = await client.query(FindPersonQuery, { text }, options).toPromise();
  const match = data?.byName ?? data?.byEmail;
  return {
    person: match == null ? { email: text } : { userName: match.userName },
    failure: error === undefined ? null : (failuresOf(error, 'read')[0]?.message ?? null),
  };
}

/** Return a function from what was typed to the person. An unknown address stays one; the server refuses it. */
export function usePersonRef(): (typed: string) => Promise<PersonRef> {
  const client = useClient();
  return useCallback(
    async (typed) => (await lookUp(client, typed, { asksForNames: false })).person,
    [client],
  );
}

interface FindPerson {
  /** Return the user name for what was typed, as a name or an address; null if there is none, and then say why. */
  readonly find: (typed: string) => Promise<string | null>;
  /** Return why nobody was found, for the `problem` of the picker; null as soon as something else is typed. */
  readonly problemOf: (typed: string) => string | null;
  readonly isFinding: boolean;
}

/** For forms that show whom they are about before anything is sent: the user name, whatever was typed. */
export function useFindPerson(how: LookUp = { asksForNames: false }): FindPerson {
  const client = useClient();
  const [refused, setRefused] = useState({ typed: '', problem: '' });
  const [isFinding, setIsFinding] = useState(false);
  const find = async (typed: string): Promise<string | null> => {
    setIsFinding(true);
    const { person, failure } = await lookUp(client, typed, how);
    setIsFinding(false);
    if ('userName' in person) {
      return person.userName;
    }
    const unknown = person.email.includes('@') ? words.noSuchEmail : words.noSuchName;
    setRefused({ typed, problem: failure ?? unknown(person.email) });
    return null;
  };
  const problemOf = (typed: string) => (typed !== '' && typed === refused.typed ? refused.problem : null);
  return { find, problemOf, isFinding };
}
