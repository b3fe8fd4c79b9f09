import { makeOperation } from '@urql/core';
import type { Client, Exchange, Operation, OperationResult } from '@urql/core';
import { filter, map, pipe, tap } from 'wonka';
import { isSignedOut } from './errors';
import { isObject, isOfSession } from './operation';

/** What the answers of the server say about the session. */
export interface WatchEvents {
  /** The session is over. */
  readonly onOver: () => void;
  /** The requests run as somebody else than before. */
  readonly onOther: () => void;
}

/** The header that says for whom the page is. The server does nothing for another user. */
export const VIEWER_HEADER = 'Ostiary-Viewer';

/** Compares the viewer of each answer with the first one. */
export interface Watch {
  readonly exchange: Exchange;
  /** Send the reads again that were held back since the session ended. */
  readonly resume: (client: Client) => void;
}

/** Return the id of the viewer of an answer: null for nobody, undefined if the operation does not ask. */
function viewerIdOf(data: unknown): string | null | undefined {
  if (!isObject(data) || !isObject(data['viewer']) || !('user' in data['viewer'])) {
    return undefined;
  }
  const user = data['viewer']['user'];
  return isObject(user) && typeof user['id'] === 'string' ? user['id'] : null;
}

/** The two sides of a watch: what is sent, and whether an answer goes on to its page. */
interface Judge {
  readonly address: (operation: Operation) => Operation;
  readonly accepts: (result: OperationResult) => boolean;
}

/** Return the judge. Reads whose answers do not go on to their page are put into `waiting`. */
function makeJudge(events: WatchEvents, waiting: Map<number, Operation>): Judge {
  let viewerId: string | null | undefined;
  const address = (operation: Operation): Operation => {
    const { fetchOptions } = operation.context;
    if (typeof viewerId !== 'string' || isOfSession(operation) || typeof fetchOptions === 'function') {
      return operation;
    }
    const headers = { ...fetchOptions?.headers, [VIEWER_HEADER]: viewerId };
    return makeOperation(operation.kind, operation, {
      ...operation.context,
      fetchOptions: { ...fetchOptions, headers },
    });
  };
  const isOver = ({ data, error }: OperationResult): boolean =>
    typeof viewerId === 'string' &&
    (viewerIdOf(data) === null || (error !== undefined && isSignedOut(error)));

  const accepts = (result: OperationResult): boolean => {
    const { operation, data } = result;
    if (isOfSession(operation)) {
      return true;
    }
    if (isOver(result)) {
      events.onOver();
      if (operation.kind !== 'query') {
        return true;
      }
      waiting.set(operation.key, operation);
      return false;
    }
    const id = viewerIdOf(data);
    if (id !== undefined && viewerId !== undefined && id !== viewerId) {
      events.onOther();
      return false;
    }
    viewerId = id === undefined ? viewerId : id;
    return true;
  };
  return { address, accepts };
}

/**
 * Make a watch. A read that was answered as nobody, after one as a user, is held back: its page keeps what it shows
 * until the user has signed in again.
 */
export function makeWatch(events: WatchEvents): Watch {
  const waiting = new Map<number, Operation>();
  const judge = makeJudge(events, waiting);
  const forget = (operation: Operation): void => {
    if (operation.kind === 'teardown') {
      waiting.delete(operation.key);
    }
  };
  const exchange: Exchange =
    ({ forward }) =>
    (operations$) =>
      pipe(operations$, tap(forget), map(judge.address), forward, filter(judge.accepts));
  const resume = (client: Client): void => {
    const operations = [...waiting.values()];
    waiting.clear();
    for (const operation of operations) {
      const context = { ...operation.context, requestPolicy: 'network-only' as const };
      const again = makeOperation(operation.kind, operation, context);
      client.reexecuteOperation(again);
      // Its result was held back, so the client takes it as still running; the second call ends that.
      client.reexecuteOperation(again);
    }
  };
  return { exchange, resume };
}
