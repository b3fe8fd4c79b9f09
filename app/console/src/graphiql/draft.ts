import { getNamedType, isEnumType, isInputObjectType, isLeafType, isListType } from 'graphql';
import {
  isNonNullType,
  isObjectType,
  isInterfaceType,
  isRequiredArgument,
  isRequiredInputField,
} from 'graphql';
import type {
  GraphQLArgument,
  GraphQLField,
  GraphQLInputType,
  GraphQLOutputType,
  GraphQLSchema,
} from 'graphql';

export interface Draft {
  readonly query: string;
  readonly variables: string;
}

export type RootKind = 'query' | 'mutation';

const MOST_SCALARS = 6;
const DEPTH = 4;
const OPENED = new Set(['nodes', 'pageInfo', 'errors']);

type Fields = readonly GraphQLField<unknown, unknown>[];

/** Return the fields of an object or interface type. */
function fieldsOf(type: GraphQLOutputType): Fields {
  const named = getNamedType(type);
  return isObjectType(named) || isInterfaceType(named) ? Object.values(named.getFields()) : [];
}

const isPage = (type: GraphQLOutputType): boolean => fieldsOf(type).some(({ name }) => name === 'pageInfo');

/** Return the root fields of a schema by their kind, by name. */
export function rootFields(schema: GraphQLSchema, kind: RootKind): Fields {
  const root = kind === 'query' ? schema.getQueryType() : schema.getMutationType();
  return Object.values(root?.getFields() ?? {}).sort((a, b) => a.name.localeCompare(b.name, 'en'));
}

/** Return a first draft for a root field: its required arguments, and the plain fields of its type. */
export function draftOf(kind: RootKind, field: GraphQLField<unknown, unknown>): Draft {
  const args = field.args.filter((arg) => isRequiredArgument(arg) || arg.name === 'first');
  const title = field.name.charAt(0).toUpperCase() + field.name.slice(1);
  const declared = args.map((arg) => `$${arg.name}: ${String(arg.type)}`).join(', ');
  const inputs = args.map(({ name }) => `${name}: $${name}`).join(', ');
  const call = `${field.name}${inputs === '' ? '' : `(${inputs})`}${selection(field.type, '  ', [])}`;
  return {
    query: `${kind} ${title}${declared === '' ? '' : `(${declared})`} {\n  ${call}\n}\n`,
    variables: args.length === 0 ? '' : JSON.stringify(valuesOf(args), null, 2),
  };
}

const valuesOf = (args: readonly GraphQLArgument[]): Record<string, unknown> =>
  Object.fromEntries(args.map(({ name, type }) => [name, name === 'first' ? 20 : draftValue(type, 0)]));

function selection(type: GraphQLOutputType, indent: string, above: readonly string[]): string {
  const named = getNamedType(type);
  if (isLeafType(named)) {
    return '';
  }
  const inner = `${indent}  `;
  const path = [...above, named.name];
  const open = fieldsOf(type).filter(
    ({ args, deprecationReason }) => !args.some(isRequiredArgument) && deprecationReason == null,
  );
  const plain = open.filter((field) => isLeafType(getNamedType(field.type))).slice(0, MOST_SCALARS);
  const rows = plain.map(({ name }) => name);
  for (const field of path.length > DEPTH
    ? []
    : open.filter((each) => isWorthOpening(each, plain.length, path))) {
    rows.push(`${field.name}${selection(field.type, inner, path)}`);
  }
  const selected = rows.length === 0 ? ['__typename'] : rows;
  return ` {\n${selected.map((row) => inner + row).join('\n')}\n${indent}}`;
}

/** Return whether an object field belongs to a draft: the rows of a page, the errors of a payload, its object. */
function isWorthOpening(
  { name, type }: GraphQLField<unknown, unknown>,
  plainCount: number,
  path: readonly string[],
): boolean {
  const { name: typeName } = getNamedType(type);
  if (isLeafType(getNamedType(type)) || path.includes(typeName) || typeName === 'Query') {
    return false;
  }
  return OPENED.has(name) || (name !== 'edges' && (plainCount === 0 || path.length === 1) && !isPage(type));
}

/** Return a value of an input type, with its required fields. */
export function draftValue(type: GraphQLInputType, depth: number): unknown {
  if (isNonNullType(type)) {
    return draftValue(type.ofType, depth);
  }
  if (isListType(type)) {
    return depth > DEPTH ? [] : [draftValue(type.ofType, depth + 1)];
  }
  if (isEnumType(type)) {
    return type.getValues()[0]?.name ?? '';
  }
  if (isInputObjectType(type)) {
    const all = Object.values(type.getFields());
    const wanted = type.isOneOf ? all.slice(0, 1) : all.filter(isRequiredInputField);
    return depth > DEPTH
      ? {}
      : Object.fromEntries(wanted.map((field) => [field.name, draftValue(field.type, depth + 1)]));
  }
  return (
    new Map<string, unknown>([
      ['Int', 0],
      ['Float', 0],
      ['Boolean', false],
      ['JSON', {}],
    ]).get(type.name) ?? ''
  );
}
