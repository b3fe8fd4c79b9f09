/** Browser storage: tabs, history and sizes without secrets for all tabs; headers for this tab only. */

import { redact } from "./secrets.js";

const PREFIX = "ostiary.playground.";
const MAX_RUNS = 50;

export function load(name, otherwise, storage = localStorage) {
  try {
    return JSON.parse(storage.getItem(PREFIX + name)) ?? otherwise;
  } catch {
    return otherwise;
  }
}

/** Save a value, and ignore a storage that is full or forbidden. */
export function save(name, value, storage = localStorage) {
  try {
    if (value === null) storage.removeItem(PREFIX + name);
    else storage.setItem(PREFIX + name, JSON.stringify(value));
  } catch {
    return;
  }
}

export function saveTabs(tabs, active) {
  const stored = tabs.map((tab) => ({ id: tab.id, ...redact(tab) }));
  save("tabs", { tabs: stored, active });
}

/** Put a run on top of the history; an equal older run is removed. */
export function remember(run) {
  const entry = { ...run, ...redact(run) };
  const others = load("history", []).filter(
    (old) =>
      old.query !== entry.query || old.variables !== entry.variables || old.operationName !== entry.operationName,
  );
  save("history", [entry, ...others].slice(0, MAX_RUNS));
}

/** Return the URL of the page with a request, without secrets. */
export function shareLink(request) {
  const { query, variables } = redact(request);
  const parts = new URLSearchParams({ query });
  if (variables.trim()) parts.set("variables", variables);
  return `${location.origin}${location.pathname}${location.search}#${parts}`;
}

export function sharedRequest() {
  const parts = new URLSearchParams(location.hash.slice(1));
  const query = parts.get("query");
  return query ? { query, variables: parts.get("variables") ?? "" } : null;
}
