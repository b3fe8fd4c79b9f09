/** Shows JSON with highlighting and collapsible parts. */

import { el } from "./dom.js";
import { prettifyJson } from "./format.js";
import { tokenizeJson } from "./tokens.js";

/** Maximum number of lines with highlighting, which is slow in browsers. */
const COLOURED = 12_000;
const SHORT = 48;

export function jsonView(text) {
  const pretty = prettifyJson(text, SHORT);
  const lines = (pretty ?? text).split("\n");
  if (pretty === null || lines.length > COLOURED) return el("pre", { class: "json plain" }, pretty ?? text);
  const root = el("div", { class: "json" });
  const open = [root];
  for (const line of lines) {
    if (/^\s*[\]}]/.test(line)) open.pop();
    const row = el("div", { class: "line" }, coloured(line));
    if (!/[[{]$/.test(line)) {
      open.at(-1).append(row);
      continue;
    }
    const inner = el("div", { class: "inner" });
    const block = el("div", { class: "block" }, row, inner);
    row.prepend(foldButton(block, row));
    open.at(-1).append(block);
    open.push(inner);
  }
  return root;
}

function foldButton(block, row) {
  const toggle = () => {
    const folded = block.classList.toggle("folded");
    button.setAttribute("aria-expanded", String(!folded));
    row.dataset.count = ` ${block.querySelector(".inner").childElementCount} … `;
  };
  const label = "Collapse or expand";
  const button = el("button", {
    type: "button",
    class: "fold",
    "aria-label": label,
    "aria-expanded": "true",
    tabindex: "-1",
    onclick: toggle,
  });
  return button;
}

function coloured(line) {
  const pieces = [];
  let at = 0;
  for (const token of tokenizeJson(line)) {
    pieces.push(line.slice(at, token.start), el("span", { class: `t-${token.role}` }, token.text));
    at = token.end;
  }
  return [...pieces, line.slice(at)];
}
