/** Reads a GraphQL document token by token: the role of each token, and the tokens that may follow. */

import { tokenize } from "./tokens.js";

const OPENER = { ")": ["arguments", "variables"], "}": ["selection", "object"], "]": ["list"] };
const VARIABLE_WANTS = { variable: "nothing", type: "inputType", value: "value" };

export class Walker {
  /** `schema` may be null: then tokens have roles, but no types. */
  constructor(schema) {
    this.schema = schema;
    this.frames = [{ in: "document", header: null }];
  }

  get top() {
    return this.frames.at(-1);
  }

  /** Read the next token: set its `role`, and the `parent` type or `def` of a name. */
  accept(token) {
    token.role = token.kind;
    if (token.kind === "comment") return;
    if (OPENER[token.text]) this.close(OPENER[token.text]);
    else this[this.top.in](token);
  }

  close(kinds) {
    const at = this.frames.findLastIndex((frame) => kinds.includes(frame.in));
    if (at > 0) this.frames.length = at;
  }

  push(frame) {
    this.frames.push(frame);
  }

  document(token) {
    const frame = this.top;
    if (token.text === "{") {
      const type =
        frame.header?.kind === "fragment" ? frame.header.type : this.schema?.root(frame.header?.kind ?? "query");
      frame.header = null;
      this.push({ in: "selection", type });
    } else if (token.text === "(") this.openHeader(frame);
    else if (token.kind === "directive") frame.header && (frame.header.directive = token.text);
    else if (token.kind === "name") this.headerName(frame, token);
  }

  openHeader(frame) {
    const directive = frame.header?.directive;
    if (directive) this.push(this.directiveArguments(directive));
    else this.push({ in: "variables", want: "variable", type: null });
    if (frame.header) frame.header.directive = null;
  }

  headerName(frame, token) {
    const header = frame.header;
    if (!header) {
      frame.header = { kind: token.text, step: "name" };
      token.role = "keyword";
    } else if (header.kind === "fragment" && token.text === "on" && header.step !== "type") {
      header.step = "type";
      token.role = "keyword";
    } else if (header.step === "type") {
      header.type = this.schema?.type(token.text);
      header.step = "done";
      token.role = "type";
    } else {
      header.step = "on";
      token.role = header.kind === "fragment" ? "fragment" : "operation";
    }
  }

  selection(token) {
    const frame = this.top;
    if (token.text === "...") Object.assign(frame, { spread: "open", next: frame.type, field: null });
    else if (token.kind === "directive")
      Object.assign(frame, { directive: token.text, spread: frame.spread && "done" });
    else if (token.text === "(") this.openArguments(frame);
    else if (token.text === "{") {
      frame.spread = null;
      this.push({ in: "selection", type: frame.next });
    } else if (token.text === ":" && frame.last) frame.last.role = "alias";
    else if (token.kind === "name") this.selectionName(frame, token);
  }

  openArguments(frame) {
    const directive = frame.directive;
    frame.directive = null;
    this.push(directive ? this.directiveArguments(directive) : { in: "arguments", defs: frame.field?.args, used: [] });
  }

  directiveArguments(name) {
    return { in: "arguments", defs: this.schema?.directive(name.slice(1))?.args, used: [] };
  }

  selectionName(frame, token) {
    frame.last = null;
    frame.directive = null;
    if (frame.spread === "open" && token.text === "on") {
      frame.spread = "on";
      token.role = "keyword";
    } else if (frame.spread === "open") {
      frame.spread = null;
      token.role = "fragment";
    } else if (frame.spread === "on") {
      Object.assign(frame, { spread: "done", next: this.schema?.type(token.text) });
      token.role = "type";
    } else {
      const field = this.schema?.field(frame.type, token.text);
      Object.assign(frame, { spread: null, field, next: field && this.schema.type(field.type), last: token });
      Object.assign(token, { role: "field", parent: frame.type, def: field });
    }
  }

  arguments(token) {
    const frame = this.top;
    if (token.text === ":") frame.value = frame.key?.type ?? null;
    else if (frame.value !== undefined || token.kind !== "name") this.value(token, frame.value);
    else {
      frame.key = frame.defs?.find((def) => def.name === token.text);
      frame.used.push(token.text);
      Object.assign(token, { role: "argument", def: frame.key, defs: frame.defs });
    }
  }

  object(token) {
    this.arguments(token);
  }

  list(token) {
    this.value(token, this.top.type);
  }

  /** Read one value of a type, which completes the frame that expects it. */
  value(token, type) {
    if (this.top.in !== "list") this.top.value = undefined;
    if (token.text === "{") {
      this.push({ in: "object", defs: this.schema?.type(type)?.inputFields, used: [] });
    } else if (token.text === "[") this.push({ in: "list", type });
    else if (token.kind === "name") {
      token.role = /^(true|false|null)$/.test(token.text) ? "literal" : "enum";
    }
  }

  variables(token) {
    const frame = this.top;
    if (token.kind === "variable") frame.want = "variable";
    else if (token.text === ":") frame.want = "type";
    else if (token.text === "=") Object.assign(frame, { want: "value", value: frame.type });
    else if (token.kind === "directive") Object.assign(frame, { want: "variable", directive: token.text });
    else if (token.text === "(" && frame.directive) this.openArguments(frame);
    else if (frame.want === "type" && token.kind === "name") {
      frame.type = { kind: "NAMED", name: token.text };
      token.role = "type";
    } else if (frame.want === "value") {
      frame.want = "variable";
      this.value(token, frame.type);
    }
  }

  /** Return the expected next token: { want, … }. */
  context() {
    const frame = this.top;
    if (frame.in === "document") return { want: this.headerWant(frame.header) };
    if (frame.in === "selection") return { want: this.selectionWant(frame), type: frame.type };
    if (frame.in === "list") return { want: "value", type: frame.type };
    if (frame.in === "variables") return { want: VARIABLE_WANTS[frame.want], type: frame.type };
    if (frame.value !== undefined) return { want: "value", type: frame.value };
    return { want: "argument", defs: frame.defs, used: frame.used };
  }

  headerWant(header) {
    if (!header) return "definition";
    if (header.kind === "fragment" && header.step === "type") return "compositeType";
    return header.kind === "fragment" && header.step === "on" ? "on" : "nothing";
  }

  selectionWant(frame) {
    if (frame.spread === "open") return "spread";
    return frame.spread === "on" ? "compositeType" : "field";
  }
}

/** Return all tokens of a document with their roles. */
export function annotate(text, schema = null) {
  const walker = new Walker(schema);
  const tokens = tokenize(text);
  for (const token of tokens) walker.accept(token);
  return tokens;
}

/** Return the operations of a document: { kind, name, start, end, fields, variables: [{ name, type, optional }] }. */
export function operations(text) {
  const definitions = [];
  const walker = new Walker(null);
  let current = null;
  for (const token of tokenize(text)) {
    const outside = walker.frames.length === 1;
    walker.accept(token);
    if (outside && token.kind !== "comment") current = begin(definitions, current, token);
    if (!current) continue;
    if (token.role === "operation") current.name = token.text;
    note(current, walker, token);
    current.end = token.end;
    if (walker.frames.length === 1 && token.text === "}") current = null;
  }
  return definitions.filter((operation) => /^(query|mutation|subscription)$/.test(operation.kind));
}

function begin(definitions, current, token) {
  if (current || !(token.role === "keyword" || token.text === "{")) return current;
  const kind = token.text === "{" ? "query" : token.text;
  const operation = { kind, name: null, start: token.start, end: token.end, variables: [], fields: [] };
  definitions.push(operation);
  return operation;
}

function note(operation, walker, token) {
  const frame = walker.top;
  if (token.role === "field" && walker.frames.length === 2) operation.fields.push(token.text);
  if (frame.in !== "variables" || token.text === "(") return;
  if (token.kind === "variable") operation.variables.push({ name: token.text.slice(1), type: "", optional: false });
  else if (token.text === "=" && operation.variables.length) operation.variables.at(-1).optional = true;
  else if (frame.want === "type" && token.text !== ":" && operation.variables.length)
    operation.variables.at(-1).type += token.text;
}
