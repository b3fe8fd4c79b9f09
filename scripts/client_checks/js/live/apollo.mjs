// Apollo Client against the server: a typed cache by id, a page, a change, and the errors of both kinds.
import { ApolloClient, HttpLink, InMemoryCache, gql } from "@apollo/client/core/index.js";
import { expect, signIn, url } from "../session.mjs";

const token = await signIn();
const client = new ApolloClient({
  cache: new InMemoryCache(),
  link: new HttpLink({ uri: url(), headers: { Authorization: `Bearer ${token}` } }),
});
const GROUPS = gql`query Groups($first: Int!, $after: String) {
  groups(first: $first, after: $after) { pageInfo { hasNextPage endCursor } nodes { id slug displayName description } }
}`;
const first = await client.query({ query: GROUPS, variables: { first: 2 } });
const next = await client.query({ query: GROUPS, variables: { first: 2, after: first.data.groups.pageInfo.endCursor } });
const group = first.data.groups.nodes[0];
expect(next.data.groups.nodes.some((node) => node.id === group.id), false, "the second page has the first group");

const UPDATE = gql`mutation Update($input: UpdateGroupInput!) {
  updateGroup(input: $input) { group { id description } errors { code path } }
}`;
const description = `Changed by a client check in process ${process.pid}`;
await client.mutate({ mutation: UPDATE, variables: { input: { group: { id: group.id }, description } } });
const cached = client.readQuery({ query: GROUPS, variables: { first: 2 } });
expect(cached.groups.nodes[0].description, description, "the cache after a change");
await client.mutate({ mutation: UPDATE, variables: { input: { group: { id: group.id }, description: group.description } } });

const refused = await client.mutate({ mutation: UPDATE, variables: { input: { group: { slug: "no-such-group" } } } });
expect(refused.data.updateGroup.errors[0].code, "NOT_FOUND", "the code of a payload error");
const failed = await client
  .query({ query: gql`query Bad($first: Int!) { groups(first: $first) { nodes { id } } }`, variables: { first: 1000 } })
  .then(() => null, (error) => error);
expect(failed?.errors?.[0]?.extensions?.code ?? failed?.cause?.errors?.[0]?.extensions?.code, "BAD_USER_INPUT", "the code of a top-level error");
