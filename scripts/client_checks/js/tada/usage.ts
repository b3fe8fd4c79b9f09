// Operations that gql.tada types without a generated file for each.
import { initGraphQLTada } from "gql.tada";
import type { ResultOf, VariablesOf } from "gql.tada";
import type { introspection } from "../out/tada-env";

export const graphql = initGraphQLTada<{
  introspection: introspection;
  scalars: { BigInt: number; DateTime: string; JSON: unknown };
}>();

export const Users = graphql(`
  query Users($filter: UserFilter, $first: Int) {
    users(filter: $filter, first: $first) { nodes { id userName roles { name permissions } } totalCount }
  }
`);

export const Rename = graphql(`
  mutation UpdateOrg($input: UpdateOrgInput!) { updateOrg(input: $input) { org { name } errors { code path } } }
`);

export function names(data: ResultOf<typeof Users>): string[] {
  return data.users.nodes.map((user) => user.userName);
}

export const variables: VariablesOf<typeof Rename> = { input: { org: { slug: "reef" }, name: "Reef Lab" } };
