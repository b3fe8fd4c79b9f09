import { initGraphQLTada } from 'gql.tada';
import type { introspection } from './schema.generated';

/** Make a document. Its types come from schema.graphql. Fragments are not masked. */
export const graphql = initGraphQLTada<{
  introspection: introspection;
  disableMasking: true;
  scalars: { ID: string; DateTime: string; BigInt: number; JSON: unknown };
}>();

export type { FragmentOf, ResultOf, TadaDocumentNode, VariablesOf } from 'gql.tada';

type Enums = introspection['types'];

export type ErrorCode = Enums['ErrorCode']['enumValues'];
export type Permission = Enums['Permission']['enumValues'];
export type ResourceRole = Enums['ResourceRole']['enumValues'];
export type OrgLevel = Enums['OrgLevel']['enumValues'];
export type OrderDirection = Enums['OrderDirection']['enumValues'];
