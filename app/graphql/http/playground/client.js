/** Speaks to the server: one POST per run, at the address of this page. */

/** Relative on purpose: the page may be mounted behind a prefix. */
export const ENDPOINT = location.pathname;

const ACCEPT = "application/graphql-response+json, application/json;q=0.9";

/**
 * Sends one request and answers { status, reason, text, body, duration, size }; `body` is null when it is not JSON.
 * Cookies stay out: who asks is what the sign-in at the top says, and nothing else.
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

/** The codes of the top-level errors of an answer. */
export const codes = (answer) => (answer.body?.errors ?? []).map((error) => error.extensions?.code ?? null);

/** Errors that mutation payloads carry: [{ field, code, message, path }]. */
export function problems(answer) {
  const payloads = Object.entries(answer.body?.data ?? {});
  return payloads.flatMap(([field, payload]) =>
    Array.isArray(payload?.errors) ? payload.errors.map((error) => ({ field, ...error })) : [],
  );
}

/** A token in the answer, with who it is for: { token, expiresAt, userName }, or null. */
export function findToken(value) {
  if (value === null || typeof value !== "object") return null;
  if (typeof value.token === "string" && value.token) {
    return { token: value.token, expiresAt: value.expiresAt ?? null, userName: value.user?.userName ?? null };
  }
  for (const inner of Object.values(value)) {
    const found = findToken(inner);
    if (found) return found;
  }
  return null;
}

/** The request for a shell. The token stays out: it is read from $TOKEN. */
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
