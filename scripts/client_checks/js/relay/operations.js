// The documents of the Relay check; relay-compiler reads them here and writes artifacts, which cache.mjs executes.
import { graphql } from "relay-runtime";

export const groupsFragment = graphql`
  fragment operations_groups on Query
  @argumentDefinitions(first: { type: "Int", defaultValue: 100 }, after: { type: "String" })
  @refetchable(queryName: "operationsGroupsPageQuery") {
    groups(first: $first, after: $after) @connection(key: "operations_groups") {
      edges { cursor node { id slug displayName } }
      pageInfo { hasNextPage endCursor }
    }
  }
`;

export const groupsQuery = graphql`
  query operationsGroupsQuery { ...operations_groups }
`;

export const listQuery = graphql`
  query operationsListQuery { groups(first: 100) { nodes { id slug } } }
`;

export const appendNode = graphql`
  mutation operationsAppendNodeMutation($input: CreateGroupInput!, $connections: [ID!]!) {
    createGroup(input: $input) {
      group @appendNode(connections: $connections, edgeTypeName: "GroupEdge") { id slug displayName }
      errors { code path }
    }
  }
`;

export const appendEdge = graphql`
  mutation operationsAppendEdgeMutation($input: CreateGroupInput!, $connections: [ID!]!) {
    createGroup(input: $input) {
      groupEdge @appendEdge(connections: $connections) { cursor node { id slug displayName } }
      errors { code path }
    }
  }
`;

export const deleteEdge = graphql`
  mutation operationsDeleteEdgeMutation($input: DeleteGroupInput!, $connections: [ID!]!) {
    deleteGroup(input: $input) {
      deletedGroupId @deleteEdge(connections: $connections)
      errors { code path }
    }
  }
`;
