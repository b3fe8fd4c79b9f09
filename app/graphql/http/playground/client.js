/** HTTP client of the page: one POST request for each run, to the address of this page. */

/** Relative, since the page may be mounted behind a prefix. */
export const ENDPOINT = location.pathname;

const ACCEPT = "application/graphql-response+json, application/json;q=0.9";

/**
 * Send a request; return { status, reason, text, body, duration, size }, with a null `body` if it is not JSON.
 * No cookies are sent, so the user is always the one who signed in at the top of the page.
 */
export async function send({ query, variables, operationName, headers = {}, token = null, signal }) {
  const begun = performance.now();
  const response = await fetch(ENDPOINT, {
    method: "POST",
    credentials: "omit",
    cache: "no-store",
    headers: { "Content-Type": "application/json", Accept: ACCEPT, ...bearer(token), ...headers },
    body: JSON.stringify({ query, variables, operationName: operationName ?? undefined }),
    signal,
  });
  const text = await response.text();
  const duration = performance.now() - begun;
  const size = new TextEncoder().encode(text).length;
  return { status: response.status, reason: response.statusText, text, body: parse(text), duration, size };
}

const bearer = (token) => (token ? { Authorization: `Bearer ${token}` } : {});

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Return the codes of the top-level errors of a response. */
export const codes = (answer) => (answer.body?.errors ?? []).map((error) => error.extensions?.code ?? null);

/** Return the errors in mutation payloads: [{ field, code, message, path }]. */
export function problems(answer) {
  const payloads = Object.entries(answer.body?.data ?? {});
  return payloads.flatMap(([field, payload]) =>
    Array.isArray(payload?.errors) ? payload.errors.map((error) => ({ field, ...error })) : [],
  );
}

/** Return a token in the response with its user: { token, expiresAt, userName }; null if there is none. */
export function findToken(value) {
  if (value === null || typeof value !== "object") return null;
  if (typeof value.token === "string" && value.token) {
    return { token: value.token, expiresAt: value.expiresAt ?? null, userName: value.user?.userName ?? null };
  }
  for (const inner of Object.values(value)) {
    const credentials = findToken(inner);
    if (credentials) return credentials;
  }
  return null;
}

/** Return the request as a shell command. The token is read from $TOKEN. */
export function curl({ query, variables, operationName, headers, signedIn }) {
  const body = JSON.stringify({ query, variables, operationName: operationName ?? undefined });
  const rows = [
    `curl ${shell(location.origin + ENDPOINT)}`,
    "-H 'Content-Type: application/json'",
    ...(signedIn ? ['-H "Authorization: Bearer $TOKEN"'] : []),
    ...Object.entries(headers).map(([name, value]) => `-H ${shell(`${name}: ${value}`)}`),
    `--data ${shell(body)}`,
  ];
  return rows.join(" \\\n  ");
}

const shell = (text) => `'${text.replaceAll("'", "'\\''")}'`;
