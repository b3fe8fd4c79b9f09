/** The middle pane: the query with its variables and headers, and their problems. */

import { Completer } from "./completer.js";
import { $, el, toast } from "./dom.js";
import { Editor, lineOf, offsetOf } from "./editor.js";
import { prettify, prettifyJson } from "./format.js";
import { tabRow } from "./layout.js";
import { unknownNames } from "./problems.js";
import { draftValue } from "./skeleton.js";
import { load, save } from "./store.js";
import { tokenizeJson } from "./tokens.js";
import { judgeVariables } from "./variables.js";
import { annotate, operations } from "./walker.js";

export class RequestPane {
  /** `onedit({ query, variables })` is called after every edit by the user. */
  constructor(onedit, explain) {
    Object.assign(this, { onedit, explain, schema: null, tokens: [], answered: [] });
    this.completer = new Completer(() => this.schema);
    this.query = new Editor($("query-editor"), {
      label: "Query",
      colour: (text) => (this.tokens = annotate(text, this.schema)),
      onchange: () => this.queryEdited(),
      onkey: (event) => this.completer.key(event),
      placeholder: "Write a query, or choose one on the left.",
    });
    this.completer.attach(this.query);
    this.variables = this.json("variables-editor", "Variables, as JSON", () => this.edited());
    this.headers = this.json("headers-editor", "Headers, as JSON", () => this.headersEdited());
    this.headers.show(load("headers", "", sessionStorage));
    this.showExtra = tabRow($("extra-tabs"));
    this.listen();
  }

  json(id, label, onchange) {
    return new Editor($(id), { label, colour: tokenizeJson, onchange, placeholder: "{ }" });
  }

  listen() {
    document.addEventListener("selectionchange", () => document.activeElement === this.query.area && this.caretMoved());
    this.query.area.addEventListener("blur", () => this.check());
    this.query.area.addEventListener(
      "click",
      (event) => (event.ctrlKey || event.metaKey) && this.explainAt(this.query.caret),
    );
    $("operation").addEventListener("change", (event) => this.query.goTo(Number(event.target.value)));
    $("problem").addEventListener("click", () => this.firstMark && this.query.goTo(this.firstMark.start));
    $("fill").addEventListener("click", () => this.fill());
  }

  open(tab) {
    this.answered = [];
    this.query.show(tab.query);
    this.variables.show(tab.variables);
    this.completer.close();
    this.judge();
  }

  setSchema(schema) {
    this.schema = schema;
    this.query.draw();
    this.judge();
  }

  queryEdited() {
    this.answered = [];
    this.edited();
    this.completer.changed();
  }

  edited() {
    this.judge();
    this.onedit({ query: this.query.text, variables: this.variables.text });
  }

  judge() {
    this.operations = operations(this.query.text);
    this.drawChooser();
    this.check();
    this.judgeVariables();
    this.judgeHeaders();
  }

  caretMoved() {
    this.drawChooser();
    this.check();
    this.judgeVariables();
  }

  /** Return the operation to run: the one at the cursor, or the one before it. */
  get operation() {
    const caret = this.query.caret;
    return this.operations.findLast((one) => one.start <= caret) ?? this.operations[0] ?? null;
  }

  drawChooser() {
    const chooser = $("operation");
    chooser.hidden = this.operations.length < 2;
    const titles = this.operations.map((one) => [String(one.start), one.name ?? `${one.kind} ${one.fields[0] ?? ""}`]);
    if (String(titles) !== this.titles) {
      this.titles = String(titles);
      chooser.replaceChildren(...titles.map(([value, title]) => el("option", { value }, title)));
    }
    if (this.operation) chooser.value = String(this.operation.start);
  }

  /** Mark names that are not in the schema, and locations of errors in the last response. */
  check() {
    const writing = document.activeElement === this.query.area ? this.query.caret : -1;
    const marks = [...this.answered, ...unknownNames(this.tokens, this.schema, writing)];
    if (JSON.stringify(marks) !== JSON.stringify(this.query.marks)) this.query.mark(marks);
    this.firstMark = marks[0] ?? null;
    $("problem").hidden = !marks.length;
    if (this.firstMark)
      $("problem").textContent = `Line ${lineOf(this.query.text, marks[0].start) + 1}: ${marks[0].message}`;
  }

  /** Mark the locations of the errors in a response. */
  markErrors(errors) {
    const text = this.query.text;
    this.answered = errors.flatMap((error) =>
      (error.locations ?? []).map((place) => {
        const start = offsetOf(text, place);
        return { start, end: start + 1, message: error.message };
      }),
    );
    this.check();
  }

  goTo(place) {
    this.query.goTo(offsetOf(this.query.text, place));
  }

  judgeVariables() {
    const { message, missing } = judgeVariables(this.operation, this.variables.text, this.schema);
    this.missing = missing;
    $("variables-message").textContent = message;
    $("variables-tab").classList.toggle("faulty", Boolean(message));
    $("fill").hidden = !missing.length || !this.schema;
  }

  /** Insert draft values for missing variables. */
  fill() {
    const draft = this.variables.text.trim() ? JSON.parse(this.variables.text) : {};
    for (const { name, type } of this.missing) draft[name] = draftValue(this.schema, refOf(type));
    this.variables.replace(0, this.variables.text.length, JSON.stringify(draft, null, 2));
  }

  headersEdited() {
    save("headers", this.headers.text, sessionStorage);
    this.judgeHeaders();
  }

  judgeHeaders() {
    const { message } = parseHeaders(this.headers.text);
    $("headers-message").textContent = message;
    $("headers-tab").classList.toggle("faulty", Boolean(message));
  }

  /** Return the request to send, or null after a message about its problem. */
  compose() {
    const operation = this.operation;
    if (!operation) return refuse("Write an operation first.", this.query);
    const variables = parseObject(this.variables.text);
    if (!variables) return this.refuseExtra("variables", "The variables must be a JSON object.");
    const { headers, message } = parseHeaders(this.headers.text);
    if (message) return this.refuseExtra("headers", message);
    return { query: this.query.text, variables, operationName: operation.name, headers };
  }

  refuseExtra(name, message) {
    this.showExtra(`${name}-tab`);
    return refuse(message, this[name]);
  }

  prettify() {
    tidy(this.query, prettify(this.query.text), "The brackets do not match.");
    if (this.variables.text.trim())
      tidy(this.variables, prettifyJson(this.variables.text), "The variables are not valid JSON.");
    this.query.area.focus();
  }

  setVariable(name, value) {
    const draft = { ...parseObject(this.variables.text), [name]: value };
    this.variables.show(JSON.stringify(draft, null, 2));
    this.edited();
  }

  explainAt(caret) {
    const token = this.tokens.find((one) => one.start <= caret && caret <= one.end && one.role !== "punct");
    if (token?.role === "field" && token.parent) this.explain(token.parent.name, token.def?.name);
    else if (token?.role === "type" && this.schema?.type(token.text)) this.explain(token.text);
  }
}

function refuse(message, editor) {
  toast(message);
  editor.area.focus();
  return null;
}

function tidy(editor, text, complaint) {
  if (text === null) toast(complaint);
  else if (text !== editor.text) editor.replace(0, editor.text.length, text, Math.min(editor.caret, text.length));
}

function parseObject(text) {
  try {
    const value = text.trim() ? JSON.parse(text) : {};
    return typeof value === "object" && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}

function parseHeaders(text) {
  const headers = parseObject(text);
  if (!headers) return { message: "The headers must be a JSON object." };
  const odd = Object.entries(headers).find(
    ([name, value]) => !/^[\w!#$%&'*+.^`|~-]+$/.test(name) || typeof value !== "string",
  );
  return odd ? { message: `The header ${odd[0]} must have a valid name and a text value.` } : { headers, message: "" };
}

function refOf(text) {
  if (text.endsWith("!")) return refOf(text.slice(0, -1));
  return text.startsWith("[") ? { kind: "LIST", ofType: refOf(text.slice(1, -1)) } : { kind: "NAMED", name: text };
}
