// Typed operations of graphql-codegen. A wrong type below fails the compiler.
import { graphql } from "../out/codegen/gql";
import type { DocumentType } from "../out/codegen/gql";
import type { CreateUserMutationVariables, GrantMutationVariables } from "../out/codegen/graphql";

export const Page = graphql(`
  query Page($first: Int, $after: String) {
    resources(first: $first, after: $after) {
      pageInfo { hasNextPage endCursor }
      nodes { id name sizeBytes createdAt metadata viewerAccess { effectiveRoles } }
    }
  }
`);

export const Create = graphql(`
  mutation CreateUser($input: CreateUserInput!) {
    createUser(input: $input) { user { id userName } errors { __typename code message path } }
  }
`);

export const Grant = graphql(`
  mutation Grant($input: GrantAccessInput!) {
    grantAccess(input: $input) { resource { id } errors { code path } }
  }
`);

export function totalBytes(data: DocumentType<typeof Page>): number {
  return data.resources.nodes.reduce((sum, node) => sum + node.sizeBytes, 0);
}

// Fields with a default are optional in the types.
export const variables: CreateUserMutationVariables = { input: { userName: "ann" } };
export const grant: GrantMutationVariables = {
  input: {
    resource: { path: { orgSlug: "reef", slug: "corals" } },
    subject: { general: true },
    roles: ["METADATA_READ"],
  },
};
