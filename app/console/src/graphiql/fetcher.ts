import { VIEWER_HEADER } from '../api';
import { codesOf, nextCursorOf, statsOf } from './answer';
import { tell } from './answers';
import { operationNameOf } from './operationName';
import { words } from './words';

interface Params {
  readonly query: string;
  readonly operationName?: string | null | undefined;
  readonly variables?: unknown;
}

interface Options {
  readonly headers?: Readonly<Record<string, unknown>> | undefined;
}

const INTROSPECTION = 'IntrospectionQuery';
const ACCEPT = 'application/graphql-response+json, application/json;q=0.9';
const SIGNED_OUT = 'UNAUTHENTICATED';

/** Mutations after which the requests run as somebody else. */
const CHANGES_SESSION = /\b(?:login|logout|changePassword|signOutEverywhere)\b/;

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function ownHeaders(headers: Options['headers'] = {}): Record<string, string> {
  const texts = Object.entries(headers).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  );
  return Object.fromEntries(texts);
}

async function send(params: Params, headers: Record<string, string>): Promise<[Response, string]> {
  const response = await fetch(new URL('graphql', document.baseURI), {
    method: 'POST',
    credentials: 'same-origin',
    cache: 'no-store',
    redirect: 'error',
    headers: { 'Content-Type': 'application/json', Accept: ACCEPT, ...headers },
    body: JSON.stringify({ ...params, operationName: operationNameOf(params.query, params.operationName) }),
  });
  return [response, await response.text()];
}

/** Ask for the schema. If the server does not show it, say so: operations run without it. */
async function introspect(params: Params, headers: Record<string, string>): Promise<object> {
  const [response, text] = await send(params, headers);
  const body = parse(text);
  if (typeof body !== 'object' || body === null || !('data' in body)) {
    tell({ schemaProblem: firstMessage(body) ?? words.notJson(response.status) });
    return { data: null };
  }
  tell({ schemaProblem: null });
  return body;
}

function firstMessage(body: unknown): string | null {
  const errors: unknown = typeof body === 'object' && body !== null && 'errors' in body ? body.errors : null;
  const first: unknown = Array.isArray(errors) ? errors[0] : null;
  const isError = typeof first === 'object' && first !== null && 'message' in first;
  return isError && typeof first.message === 'string' ? first.message : null;
}

/** Return the header that says for whom the page is, unless the operation signs in, or has a token of its own. */
function viewerHeader(
  userId: string | null,
  { query }: Params,
  headers: Record<string, string>,
): Record<string, string> {
  const hasToken = Object.keys(headers).some((name) => name.toLowerCase() === 'authorization');
  return userId === null || hasToken || CHANGES_SESSION.test(query) ? {} : { [VIEWER_HEADER]: userId };
}

/**
 * Make the function by which GraphiQL asks the API. The session cookie says who asks, and nothing is done if that is
 * no longer the user of the page. `onDoubt` is called when the session may have changed.
 */
export function makeFetcher(userId: string | null, onDoubt: () => void) {
  return async (params: Params, { headers }: Options = {}): Promise<object> => {
    if (params.operationName === INTROSPECTION) {
      return introspect(params, ownHeaders(headers));
    }
    const begun = performance.now();
    const own = ownHeaders(headers);
    const [response, text] = await send(params, {
      'Ostiary-Stats': '1',
      ...viewerHeader(userId, params, own),
      ...own,
    });
    const body = parse(text);
    const isObject = typeof body === 'object' && body !== null;
    tell({
      answer: {
        status: response.status,
        milliseconds: performance.now() - begun,
        bytes: new TextEncoder().encode(text).length,
        stats: statsOf(body),
        executor: response.headers.get('Ostiary-Executor'),
        nextCursor: isObject && 'data' in body ? nextCursorOf(body.data) : null,
      },
    });
    if (codesOf(body).includes(SIGNED_OUT) || CHANGES_SESSION.test(params.query)) {
      onDoubt();
    }
    return isObject ? body : { errors: [{ message: words.notJson(response.status) }] };
  };
}
