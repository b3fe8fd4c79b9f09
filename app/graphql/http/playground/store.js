/** What is remembered: tabs, history and sizes for this browser, without secrets; headers for this tab alone. */

import { redact } from "./secrets.js";

const PREFIX = "ostiary.playground.";
const KEPT = 50;

export function load(name, otherwise, storage = localStorage) {
  try {
    return JSON.parse(storage.getItem(PREFIX + name)) ?? otherwise;
  } catch {
    return otherwise;
  }
}

/** A full or forbidden storage is no reason to stop working. */
export function save(name, value, storage = localStorage) {
  try {
    if (value === null) storage.removeItem(PREFIX + name);
    else storage.setItem(PREFIX + name, JSON.stringify(value));
  } catch {
    return;
  }
}

export function saveTabs(tabs, active) {
  const kept = tabs.map((tab) => ({ id: tab.id, ...redact(tab) }));
  save("tabs", { tabs: kept, active });
}

/** Puts a run on top of the history; the same request run again only moves up. */
export function remember(run) {
  const entry = { ...run, ...redact(run) };
  const others = load("history", []).filter(
    (old) =>
      old.query !== entry.query || old.variables !== entry.variables || old.operationName !== entry.operationName,
  );
  save("history", [entry, ...others].slice(0, KEPT));
}

/** The address of the page with a request in it, without its secrets. */
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
