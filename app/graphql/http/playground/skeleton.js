/** Drafts an operation for a root field, with values for its arguments. */

import { isComposite, isRequired, namedType, typeText } from "./schema.js";

const SCALARS = 6;
const DEPTH = 4;

/** Return { query, variables } for a root field: its required arguments, and the leaf fields of its type. */
export function draft(schema, kind, field) {
  const args = field.args.filter((arg) => isRequired(arg) || arg.name === "first");
  const title = field.name[0].toUpperCase() + field.name.slice(1);
  const declared = args.map((arg) => `$${arg.name}: ${typeText(arg.type)}${fallback(arg)}`).join(", ");
  const inputs = args.map((arg) => `${arg.name}: $${arg.name}`).join(", ");
  const call = field.name + (inputs && `(${inputs})`) + draftSelection(schema, field.type, "  ", new Set());
  const values = args.filter(isRequired).map((arg) => [arg.name, draftValue(schema, arg.type)]);
  const variables = values.length ? JSON.stringify(Object.fromEntries(values), null, 2) : "";
  return { query: `${kind} ${title}${declared && `(${declared})`} {\n  ${call}\n}\n`, variables };
}

const fallback = (arg) => (arg.defaultValue === null ? "" : ` = ${arg.defaultValue}`);

/** Return leaf fields first, then the object fields that a page, a payload or a type without leaf fields needs. */
function draftSelection(schema, ref, indent, above) {
  const type = schema.type(ref);
  if (!isComposite(type)) return "";
  const inner = `${indent}  `;
  const open = (type.fields ?? []).filter((field) => !field.isDeprecated && !field.args.some(isRequired));
  const rows = open
    .filter((field) => !isComposite(schema.type(field.type)))
    .slice(0, SCALARS)
    .map((field) => field.name);
  const seen = new Set([...above, type.name]);
  for (const field of seen.size <= DEPTH ? open.filter((field) => worthOpening(field, rows, seen, schema)) : []) {
    rows.push(field.name + draftSelection(schema, field.type, inner, seen));
  }
  if (!rows.length) rows.push("__typename");
  return ` {\n${rows.map((row) => inner + row).join("\n")}\n${indent}}`;
}

function worthOpening(field, rows, seen, schema) {
  const name = namedType(field.type);
  if (!isComposite(schema.type(field.type)) || seen.has(name) || name === schema.roots.query) return false;
  if (["nodes", "pageInfo", "errors"].includes(field.name)) return true;
  return field.name !== "edges" && (rows.length === 0 || seen.size === 1) && !isPage(schema.type(field.type));
}

const isPage = (type) => type.fields?.some((field) => field.name === "pageInfo") ?? false;

/** Return a draft value of a type, with its required fields. */
export function draftValue(schema, ref, above = 0) {
  if (ref.kind === "NON_NULL") return draftValue(schema, ref.ofType, above);
  if (ref.kind === "LIST") return above > DEPTH ? [] : [draftValue(schema, ref.ofType, above + 1)];
  const type = schema.type(ref);
  if (type?.kind === "ENUM") return type.enumValues[0].name;
  if (type?.kind === "INPUT_OBJECT") return draftObject(schema, type, above);
  return { Int: 0, Float: 0, Boolean: false, JSON: {} }[ref.name] ?? "";
}

function draftObject(schema, type, above) {
  if (above > DEPTH) return {};
  const wanted = type.isOneOf ? type.inputFields.slice(0, 1) : type.inputFields.filter(isRequired);
  return Object.fromEntries(wanted.map((field) => [field.name, draftValue(schema, field.type, above + 1)]));
}
