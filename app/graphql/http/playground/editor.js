/** A text editor: a textarea over a highlighted copy of its text, with line numbers and marks. */

import { el } from "./dom.js";
import { keyed } from "./keys.js";

/** Longer texts have no highlighting, and longer insertions no undo: both are slow in browsers. In characters. */
const LARGE = 24_000;

export class Editor {
  /** `colour(text)` returns tokens with a `role`; `onchange()` is called after every change. */
  constructor(host, { label, colour, onchange, onkey = () => false, placeholder = "" }) {
    Object.assign(this, { colour, onchange, onkey, marks: [] });
    this.gutter = el("div", { class: "gutter", "aria-hidden": "true" });
    this.layer = el("pre", { class: "layer", "aria-hidden": "true" });
    this.area = el("textarea", {
      class: "area",
      "aria-label": label,
      placeholder,
      spellcheck: "false",
      autocomplete: "off",
      autocapitalize: "off",
      autocorrect: "off",
      wrap: "off",
      "data-gramm": "false",
    });
    this.host = host;
    host.classList.add("editor");
    host.append(this.gutter, el("div", { class: "code" }, this.layer, this.area));
    this.area.addEventListener("input", () => this.silent || this.changed());
    this.area.addEventListener("keydown", (event) => this.onkey(event) || keyed(this, event));
    document.addEventListener("selectionchange", () => document.activeElement === this.area && this.moved());
    this.draw();
  }

  get text() {
    return this.area.value;
  }

  get caret() {
    return this.area.selectionEnd;
  }

  /** Replace the text without undo, as for another tab. */
  show(text) {
    this.area.value = text;
    this.area.setSelectionRange(0, 0);
    this.host.scrollTo(0, 0);
    this.marks = [];
    this.draw();
  }

  /** Replace a part with undo; the cursor moves to `caret`, or after the new text. */
  replace(start, end, text, caret = start + text.length) {
    this.area.focus();
    this.area.setSelectionRange(start, end);
    this.silent = true;
    const done = text.length < LARGE && document.execCommand(text ? "insertText" : "delete", false, text);
    this.silent = false;
    if (!done) this.area.setRangeText(text, start, end, "end");
    this.area.setSelectionRange(caret, caret);
    this.changed();
  }

  changed() {
    this.draw();
    this.onchange();
  }

  /** Marks: [{ start, end, message }]. */
  mark(marks) {
    this.marks = marks;
    this.draw();
  }

  draw() {
    const text = this.text;
    const pieces = [];
    let at = 0;
    const tokens = this.colour(text);
    for (const token of text.length < LARGE ? tokens : []) {
      if (token.start > at) pieces.push(text.slice(at, token.start));
      pieces.push(this.piece(token));
      at = token.end;
    }
    this.layer.replaceChildren(...pieces, `${text.slice(at)}\n`);
    this.drawGutter(text);
  }

  piece(token) {
    const marked = this.marks.some((mark) => mark.start < token.end && mark.end > token.start);
    return el("span", { class: `t-${token.role}${marked ? " marked" : ""}` }, token.text);
  }

  drawGutter(text) {
    const count = text.split("\n").length;
    const gutterState = JSON.stringify([count, this.marks]);
    if (gutterState === this.gutterShown) return this.moved();
    this.gutterShown = gutterState;
    const marked = new Map(this.marks.map((mark) => [lineOf(text, mark.start), mark.message]));
    const rows = Array.from({ length: count }, (_, line) =>
      el("span", { class: marked.has(line) ? "marked" : null, title: marked.get(line) }, String(line + 1)),
    );
    this.gutter.replaceChildren(...rows);
    this.moved();
  }

  /** Highlight the line of the cursor. */
  moved() {
    const line = lineOf(this.text, this.caret);
    if (this.current !== this.gutter.children[line]) this.current?.classList.remove("current");
    this.current = this.gutter.children[line];
    this.current?.classList.add("current");
  }

  /** Return the position of a character on the screen. */
  place(offset) {
    const textNodes = document.createTreeWalker(this.layer, NodeFilter.SHOW_TEXT);
    let left = offset;
    for (let node = textNodes.nextNode(); node; node = textNodes.nextNode()) {
      if (left < node.length) return spot(node, left);
      left -= node.length;
    }
    return this.layer.getBoundingClientRect();
  }

  goTo(offset) {
    this.area.focus();
    this.area.setSelectionRange(offset, offset);
    const spot = this.place(offset);
    const view = this.host.getBoundingClientRect();
    if (spot.top < view.top || spot.bottom > view.bottom) this.host.scrollTop += spot.top - view.top - view.height / 3;
    this.moved();
  }
}

function spot(node, offset) {
  const range = document.createRange();
  range.setStart(node, offset);
  range.setEnd(node, offset + 1);
  return range.getBoundingClientRect();
}

export const lineOf = (text, offset) => text.slice(0, offset).split("\n").length - 1;

/** Return the offset of a line and a column, both counted from 1 as in GraphQL errors. */
export function offsetOf(text, { line, column }) {
  const lines = text.split("\n");
  const before = lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0);
  return Math.min(before + column - 1, text.length);
}
