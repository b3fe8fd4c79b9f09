/** Formats GraphQL and JSON: two spaces, one field a line, long arguments on several lines. The order stays. */

import { tokenize, tokenizeJson } from "./tokens.js";

const WIDTH = 88;
const SHORT = 24;
const CLOSER = { "(": ")", "{": "}", "[": "]" };

/** Return the formatted document; null if its brackets do not match or a token is not GraphQL. */
export function prettify(text) {
  const tokens = tokenize(text);
  if (tokens.some((token) => token.kind === "invalid")) return null;
  tokens.forEach((token, index) => {
    const before = text.slice(tokens[index - 1]?.end ?? 0, token.start);
    token.breaks = before.split("\n").length - 1;
  });
  const reader = { tokens, at: 0 };
  const nodes = group(reader, null);
  return nodes ? `${definitions(nodes)}\n` : null;
}

/** Return the tokens as a tree: a bracket becomes { open, nodes }. Null if a bracket has no partner. */
function group(reader, closer) {
  const nodes = [];
  while (reader.at < reader.tokens.length) {
    const token = reader.tokens[reader.at++];
    if (token.text === closer && token.kind === "punct") return nodes;
    if (token.kind === "punct" && Object.values(CLOSER).includes(token.text)) return null;
    if (token.kind !== "punct" || !CLOSER[token.text]) nodes.push(token);
    else {
      const inner = group(reader, CLOSER[token.text]);
      if (!inner) return null;
      nodes.push({ open: token.text, nodes: inner, breaks: token.breaks });
    }
  }
  return closer ? null : nodes;
}

function definitions(nodes) {
  const parts = [];
  let head = [];
  for (const node of nodes) {
    if (node.kind === "comment" && !head.length) {
      const glued = parts.length && node.breaks < 2;
      parts.push({ text: node.text, comment: true, glued: glued && (node.breaks === 0 ? "trail" : "line") });
      continue;
    }
    head.push(node);
    if (node.open !== "{") continue;
    parts.push({ text: line(head, ""), glued: parts.at(-1)?.comment && "line" });
    head = [];
  }
  if (head.length) parts.push({ text: line(head, "") });
  return parts.reduce((text, part) => text + (text && separator(part)) + part.text, "");
}

const separator = (part) => ({ trail: " ", line: "\n" })[part.glued] ?? "\n\n";

/** Format one definition or field: its words, its arguments and its selection. */
function line(nodes, indent) {
  const body = nodes.at(-1)?.open === "{" ? nodes.at(-1) : null;
  const words = body ? nodes.slice(0, -1) : nodes;
  const room = WIDTH - indent.length - (body ? 2 : 0);
  const flat = hasComment(words) ? null : flow(words);
  const head = flat !== null && flat.length <= room ? flat : flow(words, indent).trimEnd();
  return [head, body && selection(body.nodes, indent)].filter(Boolean).join(" ");
}

const hasComment = (nodes) => nodes.some((node) => node.kind === "comment" || (node.nodes && hasComment(node.nodes)));

function selection(nodes, indent) {
  const inner = `${indent}  `;
  const lines = ["{"];
  for (const field of fields(nodes)) {
    if (field[0].kind === "comment" && field[0].breaks === 0) {
      lines.push(`${lines.pop()} ${field[0].text}`);
      continue;
    }
    if (field[0].breaks > 1 && lines.length > 1) lines.push("");
    lines.push(inner + line(field, inner));
  }
  return [...lines, `${indent}}`].join("\n");
}

/** Split a selection into fields. */
function fields(nodes) {
  const groups = [];
  nodes.forEach((node, index) => {
    const before = nodes[index - 1];
    const starts = node.text === "..." || node.kind === "comment" || (node.kind === "name" && !continues(nodes, index));
    if (!groups.length || starts || before?.kind === "comment") groups.push([node]);
    else groups.at(-1).push(node);
  });
  return groups;
}

/** Return whether a name continues its field: after "...", "... on" and an alias. */
function continues(nodes, index) {
  const [before, second] = [nodes[index - 1], nodes[index - 2]];
  if (before?.text === "..." || before?.text === ":") return true;
  return before?.text === "on" && second?.text === "...";
}

/** Format words on one line; with an indent, their brackets on several lines. */
function flow(nodes, indent = null) {
  let text = "";
  let last = null;
  for (const node of nodes) {
    const piece = node.open ? bracket(node, indent) : node.text;
    text += (gap(last, node) ? " " : "") + piece + (node.kind === "comment" ? `\n${indent ?? ""}` : "");
    last = node.kind === "comment" ? null : node;
  }
  return text;
}

function gap(before, node) {
  if (!before || node.text === ":" || node.text === "!" || node.open === "(") return false;
  if (before.text === "...") return node.text === "on" || node.kind !== "name";
  return true;
}

function bracket(node, indent) {
  const parts = items(node.nodes, node.open);
  if (!parts.length) return node.open + CLOSER[node.open];
  const pad = node.open === "{" ? " " : "";
  const flat = () => node.open + pad + parts.map((part) => flow(part)).join(", ") + pad + CLOSER[node.open];
  if (indent === null) return flat();
  if (!hasComment(node.nodes) && flat().length <= (node.open === "(" ? SHORT : WIDTH - indent.length - SHORT))
    return flat();
  const inner = `${indent}  `;
  const rows = parts.map((part) => {
    const short = hasComment(part) ? null : flow(part);
    return inner + (short !== null && short.length <= WIDTH - inner.length ? short : flow(part, inner)).trimEnd();
  });
  return [node.open, ...rows, indent + CLOSER[node.open]].join("\n");
}

/** Split arguments, object fields, variable definitions or list values. */
function items(nodes, open) {
  const groups = [];
  nodes.forEach((node, index) => {
    const named = nodes[index + 1]?.text === ":" && !node.open;
    const apart = node.kind === "comment" || nodes[index - 1]?.kind === "comment";
    const starts = open === "[" ? node.text !== "!" : named;
    if (!groups.length || starts || apart) groups.push([node]);
    else groups.at(-1).push(node);
  });
  return groups;
}

/**
 * Format JSON from its tokens, so that long numbers and escapes do not change; return null if it is not JSON.
 * Objects and lists of at most `short` characters stay on one line.
 */
export function prettifyJson(text, short = 2) {
  try {
    JSON.parse(text);
  } catch {
    return null;
  }
  return jsonValue({ tokens: tokenizeJson(text), at: 0 }, short, "").long;
}

/** Format one value: on one line (`flat`) and as displayed (`long`). */
function jsonValue(reader, short, indent) {
  const { kind, text } = reader.tokens[reader.at++];
  if (kind !== "punct") return { flat: text, long: text };
  const closer = CLOSER[text];
  const parts = [];
  while (reader.tokens[reader.at].text !== closer || reader.tokens[reader.at].kind !== "punct") {
    parts.push(jsonPart(reader, short, `${indent}  `));
    if (reader.tokens[reader.at].text === "," && reader.tokens[reader.at].kind === "punct") reader.at += 1;
  }
  reader.at += 1;
  const pad = text === "{" && parts.length ? " " : "";
  const flat = text + pad + parts.map((part) => part.flat).join(", ") + pad + closer;
  const rows = parts.map((part) => `${indent}  ${part.long}`).join(",\n");
  return {
    flat,
    long: flat.length <= short && indent ? flat : parts.length ? `${text}\n${rows}\n${indent}${closer}` : flat,
  };
}

function jsonPart(reader, short, indent) {
  const key = reader.tokens[reader.at].role === "key" ? `${reader.tokens[reader.at].text}: ` : "";
  if (key) reader.at += 2;
  const { flat, long } = jsonValue(reader, short, indent);
  return { flat: key + flat, long: key + long };
}
