/** Checks the variables of an operation before they are sent. */

import { isRequired } from "./schema.js";

/** Return the problem of the variables of an operation: { message, missing }, both empty if there is none. */
export function judgeVariables(operation, text, schema) {
  let values;
  try {
    values = text.trim() ? JSON.parse(text) : {};
  } catch (error) {
    return { message: `Invalid JSON: ${error.message}`, missing: [] };
  }
  if (values === null || typeof values !== "object" || Array.isArray(values)) {
    return { message: "The variables must be a JSON object.", missing: [] };
  }
  const declared = operation?.variables ?? [];
  const missing = declared.filter((one) => one.type.endsWith("!") && !one.optional && !(one.name in values));
  if (missing.length) return { message: `Missing: ${missing.map((one) => `$${one.name}`).join(", ")}`, missing };
  return { message: extra(operation, declared, values) || mismatch(declared, values, schema), missing: [] };
}

function extra(operation, declared, values) {
  const unknown = Object.keys(values).filter((name) => !declared.some((one) => one.name === name));
  return operation && unknown.length ? `Not used by this operation: ${unknown.join(", ")}` : "";
}

function mismatch(declared, values, schema) {
  for (const one of declared) {
    const problem = one.name in values && misfit(schema, parseType(one.type), values[one.name], one.name);
    if (problem) return problem;
  }
  return "";
}

function parseType(text) {
  if (text.endsWith("!")) return { kind: "NON_NULL", ofType: parseType(text.slice(0, -1)) };
  if (text.startsWith("[")) return { kind: "LIST", ofType: parseType(text.slice(1, -1)) };
  return { kind: "NAMED", name: text };
}

/** Return the first value that does not fit its type. Only the server checks scalars. */
function misfit(schema, ref, value, path) {
  if (ref.kind === "NON_NULL")
    return value === null ? `${path} must not be null.` : misfit(schema, ref.ofType, value, path);
  if (value === null) return "";
  if (ref.kind === "LIST") {
    const items = Array.isArray(value) ? value : [value];
    return items.map((item, index) => misfit(schema, ref.ofType, item, `${path}.${index}`)).find(Boolean) ?? "";
  }
  const type = schema?.type(ref);
  if (type?.kind === "INPUT_OBJECT") return misfitObject(schema, type, value, path);
  if (type?.kind === "ENUM" && !type.enumValues.some((one) => one.name === value)) {
    return `${path} must be one of ${type.enumValues.map((one) => one.name).join(", ")}.`;
  }
  return "";
}

function misfitObject(schema, type, value, path) {
  if (typeof value !== "object" || Array.isArray(value)) return `${path} must be an object of the type ${type.name}.`;
  const unknown = Object.keys(value).find((name) => !type.inputFields.some((field) => field.name === name));
  if (unknown !== undefined) return `${type.name} has no field ${unknown}.`;
  const missing = type.inputFields.find((field) => isRequired(field) && !(field.name in value));
  if (missing) return `${path} requires the field ${missing.name}.`;
  const inner = type.inputFields.filter((field) => field.name in value);
  return (
    inner.map((field) => misfit(schema, field.type, value[field.name], `${path}.${field.name}`)).find(Boolean) ?? ""
  );
}
