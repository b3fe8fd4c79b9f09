/** Suggests names for the position of the cursor: fields, arguments, values, types, fragments. */

import { isComposite, isInput, isRequired, typeText } from "./schema.js";
import { tokenize } from "./tokens.js";
import { operations, Walker } from "./walker.js";

const LIMIT = 80;

/** Return { start, word, items } for the word at the cursor, or null. An item: { label, insert, caret, kind, … }. */
export function suggest(text, caret, schema) {
  const start = wordStart(text, caret);
  const walker = new Walker(schema);
  for (const token of tokenize(text)) {
    if (token.end > start) {
      if (token.start < start) return null;
      break;
    }
    if (token.kind === "comment" && token.end === start && !text.slice(token.end, caret).includes("\n")) return null;
    walker.accept(token);
  }
  const word = text.slice(start, caret);
  const items = rank(candidates(walker, text, caret, word, schema), word);
  return { start, word, items: items.slice(0, LIMIT) };
}

const wordStart = (text, caret) => caret - /[$@]?\w*$/.exec(text.slice(0, caret))[0].length;

function candidates(walker, text, caret, word, schema) {
  const context = walker.context();
  if (word.startsWith("@")) return [...schema.directives.values()].map(directiveItem);
  if (word.startsWith("$") && context.want !== "value") return [];
  const make = {
    field: fieldItems,
    spread: spreadItems,
    argument: argumentItems,
    value: valueItems,
    definition: definitions,
  };
  if (make[context.want]) return make[context.want](context, { text, caret, schema });
  if (context.want === "inputType") return typeItems(schema, isInput);
  if (context.want === "compositeType") return typeItems(schema, isComposite);
  return context.want === "on" ? [{ label: "on", insert: "on ", kind: "keyword" }] : [];
}

function rank(items, word) {
  const wanted = word.toLowerCase();
  const scored = items.map((item, index) => ({ item, index, score: score(item.label.toLowerCase(), wanted) }));
  const fitting = scored.filter((one) => one.score < 9 || !wanted);
  return fitting.sort((one, other) => one.score - other.score || one.index - other.index).map((one) => one.item);
}

function score(label, wanted) {
  if (label.startsWith(wanted)) return 0;
  if (label.includes(wanted)) return 1;
  const scattered = new RegExp([...wanted].map((letter) => letter.replace(/\W/, "\\$&")).join(".*"));
  return wanted.length > 1 && scattered.test(label) ? 2 : 9;
}

function fieldItems({ type }, { text, caret, schema }) {
  const bare = /^\w*\s*[({:]/.test(text.slice(caret));
  return schema.fieldsOf(type).map((field) => ({
    label: field.name,
    ...(bare ? { insert: field.name } : fieldText(field, schema, indentAt(text, caret))),
    detail: typeText(field.type),
    about: field.description,
    deprecated: field.isDeprecated && field.deprecationReason,
    kind: "field",
    def: field,
    parent: type,
  }));
}

const indentAt = (text, caret) => /^[ \t]*/.exec(text.slice(text.lastIndexOf("\n", caret - 1) + 1, caret))[0];

/** Return the text of a field: with parentheses for required arguments, with braces for subfields. */
function fieldText(field, schema, pad) {
  const composite = isComposite(schema.type(field.type));
  if (field.args.some(isRequired)) {
    const rest = composite ? ` {\n${pad}  \n${pad}}` : "";
    return { insert: `${field.name}()${rest}`, caret: field.name.length + 1, again: true };
  }
  if (!composite) return { insert: field.name };
  const opened = `${field.name} {\n${pad}  `;
  return { insert: `${opened}\n${pad}}`, caret: opened.length, again: true };
}

function spreadItems({ type }, { text, schema }) {
  const fragments = [...text.matchAll(/\bfragment\s+(\w+)\s+on\s+(\w+)/g)].filter(([, name]) => name !== "on");
  const names = new Set([type?.name, ...(type?.possibleTypes ?? type?.interfaces ?? []).map((one) => one.name)]);
  const inline = [...names]
    .filter(Boolean)
    .map((name) => ({ label: `on ${name}`, insert: `on ${name} `, kind: "type" }));
  const named = fragments.map(([, name, on]) => ({ label: name, insert: name, detail: on, kind: "fragment" }));
  return [...named, ...inline.map((item) => ({ ...item, about: schema.type(item.label.slice(3))?.description }))];
}

function argumentItems({ defs, used }, { text, caret }) {
  const bare = /^\w*\s*:/.test(text.slice(caret));
  return (defs ?? [])
    .filter((def) => !used.includes(def.name))
    .map((def) => ({
      label: def.name,
      insert: bare ? def.name : `${def.name}: `,
      again: !bare,
      detail: typeText(def.type) + (def.defaultValue === null ? "" : ` = ${def.defaultValue}`),
      about: def.description,
      deprecated: def.isDeprecated && def.deprecationReason,
      required: isRequired(def),
      kind: "argument",
    }));
}

function valueItems({ type: ref }, { text, caret, schema }) {
  const type = schema.type(ref);
  const around = operations(text).find((operation) => operation.start <= caret && caret <= operation.end + 1);
  const variables = (around?.variables ?? []).map(({ name, type }) => ({
    label: `$${name}`,
    insert: `$${name}`,
    detail: type,
    kind: "variable",
  }));
  const same = variables.filter((one) => type && one.detail.replace(/[[\]!]/g, "") === type.name);
  const rest = variables.filter((one) => !same.includes(one));
  return [...same, ...(type ? literals(type, ref) : []), ...rest];
}

function literals(type, ref) {
  const values = (type.enumValues ?? []).map((value) => ({
    label: value.name,
    insert: value.name,
    detail: type.name,
    about: value.description,
    deprecated: value.isDeprecated && value.deprecationReason,
    kind: "value",
  }));
  const plain = (text) => ({ label: text, insert: text, detail: type.name, kind: "value" });
  if (type.name === "Boolean") values.push(plain("true"), plain("false"));
  if (type.kind === "INPUT_OBJECT")
    values.push({ ...plain("{ … }"), insert: "{ }", caret: 2, again: true, about: type.description });
  if (ref?.kind !== "NON_NULL" && values.length) values.push(plain("null"));
  return values;
}

const typeItems = (schema, fits) =>
  schema
    .listed()
    .filter(fits)
    .map((type) => ({ label: type.name, insert: type.name, about: type.description, kind: "type" }));

const directiveItem = (directive) => ({
  label: `@${directive.name}`,
  insert: `@${directive.name}${directive.args.length ? "()" : ""}`,
  caret: directive.name.length + (directive.args.length ? 2 : 1),
  again: directive.args.length > 0,
  about: directive.description,
  kind: "directive",
});

function definitions(_, { schema }) {
  const kinds = ["query", "mutation", "subscription"].filter((kind) => schema.root(kind));
  const make = (kind) => ({ label: kind, insert: `${kind} `, kind: "keyword", about: schema.root(kind)?.description });
  return [...kinds.map(make), { label: "fragment", insert: "fragment ", kind: "keyword" }];
}
