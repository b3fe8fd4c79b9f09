import { Client, cacheExchange, fetchExchange } from '@urql/core';
import { makeKeys } from './keys';
import { makeWatch } from './watch';
import type { WatchEvents } from './watch';

/** A client with its own memory. It is thrown away with the session. */
export interface Connection {
  readonly client: Client;
  /** Go on after the same user has signed in again. */
  readonly resume: () => void;
}

/** Open a connection to the API below `<base href>`. The session cookie is the only credential. */
export function connect(events: WatchEvents): Connection {
  const watch = makeWatch(events);
  const client = new Client({
    url: new URL('graphql', document.baseURI).href,
    exchanges: [cacheExchange, watch.exchange, makeKeys(), fetchExchange],
    preferGetMethod: false,
    fetchOptions: { credentials: 'same-origin', cache: 'no-store', redirect: 'error' },
  });
  return { client, resume: () => watch.resume(client) };
}
