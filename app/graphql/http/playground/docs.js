/** The schema explorer: search, types, fields and arguments, linked with each other. */

import { $, el, icon, iconButton, inlineCode, prose } from "./dom.js";
import { isRequired, namedType, typeText } from "./schema.js";

const KINDS = {
  OBJECT: ["Types", "type"],
  INTERFACE: ["Interfaces", "interface"],
  UNION: ["Unions", "union"],
  INPUT_OBJECT: ["Inputs", "input"],
  ENUM: ["Enums", "enum"],
  SCALAR: ["Scalars", "scalar"],
};
const ROOTS = [
  ["query", "Queries"],
  ["mutation", "Mutations"],
  ["subscription", "Subscriptions"],
];

export class Docs {
  /** `hooks`: tryField(kind, field), reload(). */
  constructor(hooks) {
    Object.assign(this, { hooks, schema: null, trail: [{}] });
    $("docs-search").addEventListener("input", () => this.draw());
    $("docs-search").addEventListener("keydown", (event) => this.searchKey(event));
  }

  setSchema(schema) {
    this.schema = schema;
    this.trail = this.trail.filter(({ type }) => !type || schema.type(type));
    $("docs-search").disabled = false;
    this.draw();
  }

  /** Show why there is no schema. `isClosed`: the viewer may not read it, so there is no link to the SDL either. */
  refuse(message, isClosed) {
    this.schema = null;
    $("docs-search").disabled = true;
    const link = el("a", { href: "schema.graphql" }, "schema.graphql");
    const again = el("button", { type: "button", onclick: this.hooks.reload }, "Try again");
    $("docs-body").replaceChildren(
      el(
        "div",
        { class: "empty" },
        icon("book"),
        el("p", {}, message),
        isClosed ? null : el("p", {}, "The schema as SDL: ", link),
        again,
      ),
    );
  }

  /** Open a type, or one of its fields, by name. */
  open(type, field = null) {
    $("docs-search").value = "";
    const top = this.trail.at(-1);
    if (top.type !== type || top.field !== field) this.trail.push({ type, field });
    this.draw();
    $("docs-body").scrollTop = 0;
  }

  back() {
    this.trail.pop();
    if (!this.trail.length) this.trail = [{}];
    this.draw();
    $("docs-body").querySelector("button")?.focus();
  }

  searchKey(event) {
    if (event.key === "Escape" && event.target.value) {
      event.target.value = "";
      this.draw();
    } else if (event.key === "Enter" || event.key === "ArrowDown")
      $("docs-body").querySelector("button")?.[event.key === "Enter" ? "click" : "focus"]();
    else return;
    event.preventDefault();
  }

  draw() {
    if (!this.schema) return;
    const words = $("docs-search").value.trim();
    const { type, field } = this.trail.at(-1);
    const content = words
      ? this.results(words)
      : field
        ? this.fieldPage(type, field)
        : type
          ? this.typePage(type)
          : this.rootPage();
    $("docs-body").replaceChildren(...content.flat(2).filter(Boolean));
  }

  results(words) {
    const hits = this.schema.search(words);
    if (!hits.length) return [el("p", { class: "empty" }, `No type or field matches “${words}”.`)];
    return [
      el(
        "ul",
        { class: "entries" },
        hits.map(({ type, field }) => this.hit(type, field)),
      ),
    ];
  }

  hit(type, field) {
    const open = () => this.open(type.name, field && (type.fields || type.inputFields) ? field.name : null);
    const name = field
      ? [el("span", { class: "t-parent" }, `${type.name}.`), field.name]
      : el("span", { class: "t-type" }, type.name);
    const kind = el(
      "span",
      { class: "detail" },
      field?.type ? typeText(field.type) : field ? "value" : KINDS[type.kind][1],
    );
    return el(
      "li",
      {},
      el("button", { type: "button", class: "entry", onclick: open }, el("span", { class: "sign" }, name), kind),
    );
  }

  rootPage() {
    const roots = ROOTS.map(([kind, title]) => this.rootSection(kind, title));
    const names = Object.values(this.schema.roots);
    const types = this.schema.listed().filter((type) => !names.includes(type.name));
    const groups = Object.entries(KINDS).map(([kind, [title]]) =>
      this.typeSection(
        title,
        types.filter((type) => type.kind === kind),
      ),
    );
    return [...prose(this.schema.description), ...roots, ...groups, this.directiveSection()];
  }

  rootSection(kind, title) {
    const type = this.schema.root(kind);
    return (
      type &&
      section(
        title,
        type.fields.map((field) => this.entry(type, field, kind)),
        true,
      )
    );
  }

  typeSection(title, types) {
    return types.length
      ? section(
          title,
          types.map((type) => el("li", {}, this.typeEntry(type))),
        )
      : null;
  }

  typeEntry(type) {
    const about = el("span", { class: "about" }, ...inlineCode(firstLine(type.description)));
    return el(
      "button",
      { type: "button", class: "entry", onclick: () => this.open(type.name) },
      el("span", { class: "sign t-type" }, type.name),
      about,
    );
  }

  directiveSection() {
    const rows = [...this.schema.directives.values()].map((directive) =>
      el(
        "li",
        { class: "plain-entry" },
        el("span", { class: "sign t-directive" }, `@${directive.name}`),
        prose(directive.description),
      ),
    );
    return section("Directives", rows);
  }

  /** Return a field as a list item: name, type, first line of its description; root fields have a draft button. */
  entry(type, field, kind = null) {
    const button = el(
      "button",
      { type: "button", class: "entry", onclick: () => this.open(type.name, field.name) },
      el(
        "span",
        { class: "sign" },
        el("span", { class: field.isDeprecated ? "old" : "t-field" }, field.name),
        field.args?.length ? el("span", { class: "t-punct" }, "(…)") : null,
      ),
      field.type && el("span", { class: "detail" }, typeText(field.type)),
      el("span", { class: "about" }, ...inlineCode(firstLine(field.description))),
    );
    return el(
      "li",
      {},
      button,
      kind && iconButton("plus", `Draft ${field.name}`, () => this.hooks.tryField(kind, field)),
    );
  }

  typePage(name) {
    const type = this.schema.type(name);
    const kind = this.schema.roots.query === name ? "query" : this.schema.roots.mutation === name ? "mutation" : null;
    const oneOf = type.isOneOf && el("p", { class: "remark" }, "Set exactly one of these fields.");
    return [
      this.heading(type.name, KINDS[type.kind][1]),
      prose(type.description),
      oneOf,
      type.specifiedByURL && el("p", {}, el("a", { href: type.specifiedByURL, rel: "noreferrer" }, "Specification")),
      this.links("Implements", type.interfaces),
      type.fields &&
        section(
          "Fields",
          type.fields.map((field) => this.entry(type, field, kind)),
          true,
        ),
      type.inputFields &&
        section(
          "Fields",
          type.inputFields.map((field) => this.argument(field)),
          true,
        ),
      type.enumValues && section("Values", type.enumValues.map(enumValue), true),
      this.links(type.kind === "UNION" ? "One of" : "Implemented by", type.possibleTypes),
      this.usedBy(type),
    ];
  }

  /** Return the fields that return a type or take it as an argument. */
  usedBy(type) {
    const uses = this.schema
      .listed()
      .flatMap((other) =>
        [...(other.fields ?? []), ...(other.inputFields ?? [])]
          .filter(
            (field) =>
              namedType(field.type) === type.name || field.args?.some((arg) => namedType(arg.type) === type.name),
          )
          .map((field) => this.hit(other, field)),
      );
    return uses.length && type.kind !== "SCALAR" ? section("Used by", uses) : null;
  }

  fieldPage(typeName, fieldName) {
    const type = this.schema.type(typeName);
    const field = [...(type.fields ?? []), ...(type.inputFields ?? [])].find((one) => one.name === fieldName);
    if (!field) return this.typePage(typeName);
    const kind = Object.keys(this.schema.roots).find((root) => this.schema.roots[root] === typeName);
    const draft = () => this.hooks.tryField(kind, field);
    return [
      this.heading(field.name, typeName, () => this.open(typeName)),
      el("p", { class: "signature" }, this.typeLink(field.type), field.defaultValue && ` = ${field.defaultValue}`),
      deprecation(field),
      prose(field.description),
      kind && el("button", { type: "button", class: "draft", onclick: draft }, icon("plus"), "Draft an operation"),
      field.args?.length
        ? section(
            "Arguments",
            field.args.map((arg) => this.argument(arg)),
            true,
          )
        : null,
      this.partsOf(field),
    ];
  }

  /** Return the fields of the type of a field. */
  partsOf(field) {
    const type = this.schema.type(field.type);
    const parts = type?.fields ?? type?.inputFields;
    return (
      parts &&
      section(
        type.name,
        parts.map((part) => (type.fields ? this.entry(type, part) : this.argument(part))),
        true,
      )
    );
  }

  argument(def) {
    const star = isRequired(def) && el("b", { class: "required", title: "required" }, "*");
    const initial = def.defaultValue !== null && el("span", { class: "detail" }, ` = ${def.defaultValue}`);
    const sign = el(
      "div",
      { class: "sign" },
      el("span", { class: def.isDeprecated ? "old" : "t-argument" }, def.name),
      star,
      ": ",
      this.typeLink(def.type),
      initial,
    );
    return el("li", { class: "plain-entry" }, sign, deprecation(def), prose(def.description));
  }

  typeLink(ref) {
    const [name, text] = [namedType(ref), typeText(ref)];
    const at = text.indexOf(name);
    const link = el("button", { type: "button", class: "link t-type", onclick: () => this.open(name) }, name);
    return el("span", { class: "type" }, text.slice(0, at), link, text.slice(at + name.length));
  }

  heading(name, kind, up = null) {
    const badge = up
      ? el("button", { type: "button", class: "link kind-of", onclick: up }, kind)
      : el("span", { class: "kind-of" }, kind);
    return el(
      "div",
      { class: "doc-head" },
      iconButton("back", "Back", () => this.back()),
      el("h2", {}, name),
      badge,
    );
  }

  links(title, types) {
    if (!types?.length) return null;
    const buttons = types.map(({ name }) =>
      el("button", { type: "button", class: "link t-type", onclick: () => this.open(name) }, name),
    );
    return section(title, [el("li", { class: "plain-entry links" }, buttons)]);
  }
}

const firstLine = (text) => (text ?? "").trim().split(/\n|(?<=\.)\s/)[0];
const deprecation = (def) =>
  def.isDeprecated && el("p", { class: "remark warn" }, "Deprecated. ", ...inlineCode(def.deprecationReason ?? ""));

const enumValue = (value) =>
  el(
    "li",
    { class: "plain-entry" },
    el("span", { class: value.isDeprecated ? "sign old" : "sign t-enum" }, value.name),
    deprecation(value),
    prose(value.description),
  );

/** Return a section that can be collapsed. Long lists of types are collapsed at first. */
const section = (title, rows, open = false) =>
  el(
    "details",
    { class: "section", open: open || rows.length < 8 },
    el("summary", {}, title, el("span", { class: "count" }, String(rows.length))),
    el("ul", { class: "entries" }, rows),
  );
