/** The introspected schema, with lookups for completion and documentation. */

const VALUE = "name description type { ...Ref } defaultValue isDeprecated deprecationReason";

export const INTROSPECTION = `query Introspection {
  __schema {
    description
    queryType { name }
    mutationType { name }
    subscriptionType { name }
    types {
      kind name description specifiedByURL isOneOf
      fields(includeDeprecated: true) {
        name description isDeprecated deprecationReason
        args(includeDeprecated: true) { ${VALUE} }
        type { ...Ref }
      }
      inputFields(includeDeprecated: true) { ${VALUE} }
      interfaces { name }
      enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason }
      possibleTypes { name }
    }
    directives { name description locations isRepeatable args(includeDeprecated: true) { ${VALUE} } }
  }
}
fragment Ref on __Type {
  kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } }
}`;

const TYPENAME = {
  name: "__typename",
  description: "The name of the type of this object.",
  args: [],
  type: { kind: "NON_NULL", name: null, ofType: { kind: "SCALAR", name: "String" } },
};

export const namedType = (ref) => (ref?.ofType ? namedType(ref.ofType) : ref?.name);

export function typeText(ref) {
  if (ref?.kind === "NON_NULL") return `${typeText(ref.ofType)}!`;
  return ref?.kind === "LIST" ? `[${typeText(ref.ofType)}]` : (ref?.name ?? "");
}

/** Return whether an argument or input field is required. */
export const isRequired = (def) => def.type.kind === "NON_NULL" && def.defaultValue === null;
export const isComposite = (type) => ["OBJECT", "INTERFACE", "UNION"].includes(type?.kind);
export const isInput = (type) => ["SCALAR", "ENUM", "INPUT_OBJECT"].includes(type?.kind);

export class Schema {
  constructor(introspection) {
    this.description = introspection.description;
    this.types = new Map(introspection.types.map((type) => [type.name, type]));
    this.directives = new Map(introspection.directives.map((directive) => [directive.name, directive]));
    this.roots = {
      query: introspection.queryType?.name,
      mutation: introspection.mutationType?.name,
      subscription: introspection.subscriptionType?.name,
    };
  }

  root(kind) {
    return this.types.get(this.roots[kind]);
  }

  /** Return a type by name or by reference, without lists and non-nulls. */
  type(named) {
    return this.types.get(typeof named === "string" ? named : namedType(named));
  }

  directive(name) {
    return this.directives.get(name);
  }

  fieldsOf(type) {
    return isComposite(type) ? [...(type.fields ?? []), TYPENAME] : [];
  }

  field(type, name) {
    if (type === this.root("query") && name.startsWith("__")) return META[name] ?? TYPENAME;
    return this.fieldsOf(type).find((field) => field.name === name);
  }

  /** Return the types for the explorer, by name. */
  listed() {
    const types = [...this.types.values()].filter((type) => !type.name.startsWith("__"));
    return types.sort((one, other) => one.name.localeCompare(other.name));
  }

  /** Return types and fields whose names contain the words; names that start with them come first. */
  search(words, limit = 60) {
    const wanted = words.trim().toLowerCase();
    const matches = [];
    for (const type of this.listed()) {
      score(matches, wanted, type.name, { type });
      for (const field of type.fields ?? type.inputFields ?? []) score(matches, wanted, field.name, { type, field });
      for (const value of type.enumValues ?? []) score(matches, wanted, value.name, { type, field: value });
    }
    return matches.sort((one, other) => one.rank - other.rank).slice(0, limit);
  }
}

const META = {
  __schema: { name: "__schema", args: [], type: { kind: "OBJECT", name: "__Schema" } },
  __type: {
    name: "__type",
    args: [{ name: "name", type: { kind: "SCALAR", name: "String" }, defaultValue: null }],
    type: { kind: "OBJECT", name: "__Type" },
  },
};

function score(matches, wanted, name, hit) {
  const [path, low] = [hit.field ? `${hit.type.name}.${name}`.toLowerCase() : "", name.toLowerCase()];
  const at = low.indexOf(wanted);
  if (at < 0 && !path.startsWith(wanted)) return;
  const rank = (low === wanted ? 0 : at === 0 ? 1 : 3) + (hit.field ? 1 : 0);
  matches.push({ ...hit, rank: rank + name.length / 1000 });
}
