import type { CombinedError } from '@urql/core';
import type { ErrorCode } from './graphql';
import { isolated } from '../shared/phrase';
import { words } from './words';

/** An entry of a payload's `errors`. */
export interface Problem {
  readonly code: ErrorCode;
  readonly message: string;
  /** `input`, then names of fields and list indexes. */
  readonly path: readonly string[];
}

/** Why something did not work: an error of a payload, of the whole request, or of the way to the server. */
export type Failure =
  | ({ readonly kind: 'problem' } & Problem)
  | { readonly kind: 'signedOut'; readonly message: string }
  | { readonly kind: 'forbidden'; readonly message: string }
  | { readonly kind: 'notFound'; readonly message: string }
  | { readonly kind: 'wait'; readonly message: string; readonly seconds: number }
  | { readonly kind: 'refused'; readonly message: string }
  /** A cursor of the address is of another list, or was cut. */
  | { readonly kind: 'staleCursor'; readonly message: string }
  | { readonly kind: 'committed'; readonly message: string }
  | { readonly kind: 'unknownOutcome'; readonly message: string }
  | { readonly kind: 'unavailable'; readonly message: string }
  | { readonly kind: 'unreachable'; readonly message: string }
  | { readonly kind: 'internal'; readonly message: string; readonly errorId: string | null };

/** What a request was: a lost answer to a change leaves its outcome open. */
export type RequestKind = 'read' | 'change';

const LAST_RESORT_SECONDS = 1;
const TOO_MANY_REQUESTS = 429;
const UNAUTHORIZED = 401;

/** Return whether an object has changed since the form about it was read. */
const isStale = ({ code, path }: Problem): boolean =>
  code === 'CONFLICT' && (path[1] === 'ifRevision' || path[1] === 'ifCurrent');

const MISSING = /^There is no such ([a-z ]+)\.$/;

/** Names and values in messages of the API. */
const MARKED = /`([^`]+)`/g;

/** Return a message of the API as a text for readers, who do not know what the marks around names mean. */
const plainText = (message: string): string =>
  message.replaceAll(MARKED, (_, name: string) => isolated(name));

/** Return the message to show. What is not there may be hidden: pages and dialogs say the same about it. */
function messageOf(problem: Problem): string {
  const missing = problem.code === 'NOT_FOUND' ? MISSING.exec(problem.message)?.[1] : undefined;
  return isStale(problem)
    ? words.stale
    : missing === undefined
      ? plainText(problem.message)
      : words.missing(missing);
}

export const problemOf = (problem: Problem): Failure => ({
  kind: 'problem',
  ...problem,
  message: messageOf(problem),
});

/** Return the failures behind an error of urql, at least one. */
export function failuresOf(error: CombinedError, request: RequestKind): readonly Failure[] {
  if (error.graphQLErrors.length > 0) {
    return error.graphQLErrors.map((entry) => failureOfEntry(plainText(entry.message), entry.extensions));
  }
  return [failureOfTransport(error, request)];
}

/** Return whether an error says that the session is over. */
export function isSignedOut(error: CombinedError): boolean {
  return failuresOf(error, 'read').some(({ kind }) => kind === 'signedOut');
}

const CURSORS: ReadonlySet<unknown> = new Set(['after', 'before']);

function failureOfEntry(message: string, extensions: Readonly<Record<string, unknown>>): Failure {
  switch (extensions['code']) {
    case 'UNAUTHENTICATED':
      return { kind: 'signedOut', message };
    case 'FORBIDDEN':
      return { kind: 'forbidden', message };
    case 'NOT_FOUND':
      return { kind: 'notFound', message: words.notFound };
    case 'RATE_LIMITED':
    case 'RETRY':
      return { kind: 'wait', message, seconds: secondsOf(extensions['retryAfter']) };
    case 'CHANGE_MADE':
      return { kind: 'committed', message: words.committed };
    case 'OUTCOME_UNKNOWN':
      return { kind: 'unknownOutcome', message: words.unknownOutcome };
    case 'TIMEOUT':
    case 'SERVICE_UNAVAILABLE':
      return { kind: 'unavailable', message };
    case 'INTERNAL_SERVER_ERROR':
      return failureWithId(extensions['errorId']);
    default: {
      const isCursor = CURSORS.has(extensions['argument']);
      return { kind: isCursor ? 'staleCursor' : 'refused', message: message || words.unexpected };
    }
  }
}

function failureWithId(errorId: unknown): Failure {
  return typeof errorId === 'string'
    ? { kind: 'internal', message: words.internalWithId(errorId), errorId }
    : { kind: 'internal', message: words.internal, errorId: null };
}

function failureOfTransport(error: CombinedError, request: RequestKind): Failure {
  const response: unknown = error.response;
  const isAnswered = response instanceof Response;
  if (isAnswered && response.status === TOO_MANY_REQUESTS) {
    const seconds = secondsOf(Number(response.headers.get('Retry-After')));
    return { kind: 'wait', message: words.wait(seconds), seconds };
  }
  if (isAnswered && response.status === UNAUTHORIZED) {
    return { kind: 'signedOut', message: words.signedOut };
  }
  if (request === 'change') {
    return { kind: 'unknownOutcome', message: words.unknownOutcome };
  }
  return isAnswered
    ? { kind: 'unavailable', message: words.unavailable }
    : { kind: 'unreachable', message: words.unreachable };
}

function secondsOf(value: unknown): number {
  return typeof value === 'number' && value > 0 ? Math.ceil(value) : LAST_RESORT_SECONDS;
}

/** The seconds until a change may be sent again. */
export function waitOf(failures: readonly Failure[]): number {
  return Math.max(0, ...failures.map((failure) => (failure.kind === 'wait' ? failure.seconds : 0)));
}

/** The path of the form field that a failure is about, such as `members.3.user`; empty for the whole form. */
export function fieldOf(failure: Failure): string {
  return failure.kind === 'problem' ? failure.path.slice(1).join('.') : '';
}
