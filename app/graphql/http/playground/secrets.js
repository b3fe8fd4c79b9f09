/** Removes passwords and tokens from requests that are stored or shared. */

import { annotate } from "./walker.js";

const SECRET = /pass|pwd|secret|token|credential|api_?key/i;

/** Return the request with empty secrets; `variables` is text. */
export function redact({ query, variables }) {
  const tokens = annotate(query);
  const names = secretVariables(tokens);
  return { query: redactQuery(query, tokens, names), variables: redactVariables(variables, names) };
}

/** Return the variables with a secret name, or used for a secret argument. */
function secretVariables(tokens) {
  const names = new Set();
  tokens.forEach((token, index) => {
    if (token.kind !== "variable") return;
    const isSecretValue = tokens[index - 1]?.text === ":" && isSecretKey(tokens[index - 2]);
    if (isSecretValue || SECRET.test(token.text)) names.add(token.text.slice(1));
  });
  return names;
}

const isSecretKey = (token) => token?.role === "argument" && SECRET.test(token.text);

function redactQuery(query, tokens, names) {
  const cuts = [];
  let [declared, secret, depth] = [null, false, 0];
  tokens.forEach((token, index) => {
    if (token.kind === "comment") cuts.push([token, cleanComment(token.text)]);
    if (token.kind === "variable") declared = token.text.slice(1);
    if (tokens[index - 1]?.text === ":" && isSecretKey(tokens[index - 2])) secret = true;
    else if (tokens[index - 1]?.text === "=" && names.has(declared)) secret = true;
    if (!secret) return;
    if (/^[[{]$/.test(token.text)) depth += 1;
    else if (/^[\]}]$/.test(token.text)) depth -= 1;
    else if (/string|block|number|name|invalid/.test(token.kind) && token.role !== "argument") cuts.push([token, '""']);
    secret = depth > 0;
  });
  return cuts.reduceRight((text, [token, clean]) => text.slice(0, token.start) + clean + text.slice(token.end), query);
}

const cleanComment = (text) => text.replace(/("?\w*(?:pass|pwd|secret|token)\w*"?\s*:\s*)"[^"]*"?/gi, '$1""');

function redactVariables(text, names) {
  let parsed;
  try {
    parsed = JSON.parse(text);
  } catch {
    return names.size || SECRET.test(text) ? "" : text;
  }
  const clean = emptied(parsed, names, false);
  return JSON.stringify(clean) === JSON.stringify(parsed) ? text : JSON.stringify(clean, null, 2);
}

function emptied(value, names, secret) {
  if (Array.isArray(value)) return value.map((item) => emptied(item, names, secret));
  if (value === null || typeof value !== "object") return secret && value !== null ? "" : value;
  const none = new Set();
  const entries = Object.entries(value);
  return Object.fromEntries(
    entries.map(([key, inner]) => [key, emptied(inner, none, secret || names.has(key) || SECRET.test(key))]),
  );
}
