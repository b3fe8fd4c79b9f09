/** Keys of an editor: indentation, brackets, comments. */

const PAIRS = { "(": ")", "{": "}", "[": "]", '"': '"' };
const STEP = "  ";

/** Handle a key press; return true if it was handled. After Escape, the next Tab moves the focus. */
export function keyed(editor, event) {
  if (event.isComposing || event.altKey) return false;
  const mod = event.ctrlKey || event.metaKey;
  const act = mod
    ? event.key === "/" && comment
    : (ACTS[event.key] ?? (PAIRS[event.key] || isCloser(event.key) ? bracket : null));
  const free = editor.freed;
  editor.freed = event.key === "Escape" || (free && event.key === "Shift");
  if (!act || (event.key === "Tab" && free) || !act(editor, event)) return false;
  event.preventDefault();
  return true;
}

const ACTS = { Tab: indent, Enter: newline, Backspace: unpair };
const isCloser = (key) => Object.values(PAIRS).includes(key);

function selection({ area }) {
  return { start: area.selectionStart, end: area.selectionEnd, text: area.value };
}

function indent(editor, event) {
  const { start, end, text } = selection(editor);
  if (start === end && !event.shiftKey) editor.replace(start, end, STEP);
  else
    eachLine(editor, start, end, text, event.shiftKey ? (line) => line.replace(/^ {1,2}/, "") : (line) => STEP + line);
  return true;
}

function comment(editor) {
  const { start, end, text } = selection(editor);
  const lines = text.slice(lineStart(text, start), lineEnd(text, end)).split("\n");
  const off = lines.every((line) => /^\s*(#|$)/.test(line));
  eachLine(editor, start, end, text, (line) =>
    off ? line.replace(/^(\s*)# ?/, "$1") : line.replace(/^(\s*)(?=\S)/, "$1# "),
  );
  return true;
}

const lineStart = (text, at) => text.lastIndexOf("\n", at - 1) + 1;
const lineEnd = (text, at) => (text.indexOf("\n", at) < 0 ? text.length : text.indexOf("\n", at));

function eachLine(editor, start, end, text, change) {
  const [from, to] = [lineStart(text, start), lineEnd(text, end)];
  const before = text.slice(from, to);
  const after = before.split("\n").map(change).join("\n");
  if (after === before) return;
  const caret = Math.max(from, end + after.length - before.length);
  editor.replace(from, to, after, caret);
  if (start !== end) editor.area.setSelectionRange(from, from + after.length);
}

function newline(editor, event) {
  if (event.shiftKey) return false;
  const { start, end, text } = selection(editor);
  const pad = /^[ \t]*/.exec(text.slice(lineStart(text, start), start))[0];
  const opened =
    /[({[]$/.test(text.slice(0, start).trimEnd()) && !text.slice(lineStart(text, start), start).includes("#");
  const inner = `\n${pad}${opened ? STEP : ""}`;
  const closes = opened && /^[ \t]*[)}\]]/.test(text.slice(end));
  editor.replace(start, end, inner + (closes ? `\n${pad}` : ""), start + inner.length);
  return true;
}

/** Insert the partner of an opening bracket; skip a closing bracket that is already there. */
function bracket(editor, event) {
  const { start, end, text } = selection(editor);
  const [key, next, before] = [event.key, text[end] ?? "", text[start - 1] ?? ""];
  if (start === end && next === key && isCloser(key)) editor.replace(start, start + 1, key);
  else if (start !== end && PAIRS[key]) editor.replace(start, end, key + text.slice(start, end) + PAIRS[key]);
  else if (key === "}" && /^[ \t]+$/.test(text.slice(lineStart(text, start), start))) dedent(editor, start, end, text);
  else if (!PAIRS[key] || /[\w"]/.test(next) || (key === '"' && /[\w"]/.test(before))) return false;
  else editor.replace(start, end, key + PAIRS[key], start + 1);
  return true;
}

function dedent(editor, start, end, text) {
  const pad = text.slice(lineStart(text, start), start);
  editor.replace(lineStart(text, start), end, `${pad.slice(STEP.length)}}`);
}

function unpair(editor, event) {
  const { start, end, text } = selection(editor);
  const pair = text.slice(start - 1, start + 1);
  if (event.shiftKey || start !== end || !["()", "{}", "[]", '""'].includes(pair)) return false;
  editor.replace(start - 1, start + 1, "");
  return true;
}
