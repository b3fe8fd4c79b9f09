// urql with its normalized cache against the server: keys of all types, a change, and a tried deletion.
import { readFileSync } from "node:fs";
import { Client, fetchExchange, gql } from "@urql/core";
import { cacheExchange } from "@urql/exchange-graphcache";
import { buildSchema, introspectionFromSchema } from "graphql";
import { expect, signIn, url } from "../session.mjs";

const warnings = [];
console.warn = (text) => warnings.push(String(text));
const token = await signIn();
const schema = introspectionFromSchema(buildSchema(readFileSync("schema.graphql", "utf8")));
const client = new Client({
  url: url(),
  preferGetMethod: false,
  fetchOptions: { headers: { Authorization: `Bearer ${token}` } },
  exchanges: [
    cacheExchange({
      schema,
      updates: {
        Mutation: {
          deleteGroup(result, _, cache) {
            const id = result.deleteGroup?.deletedGroupId;
            if (id) cache.invalidate({ __typename: "Group", id });
          },
        },
      },
    }),
    fetchExchange,
  ],
});
const GROUPS = gql`query Groups { groups(first: 100) { nodes { id slug description } } }`;
const before = await client.query(GROUPS, {}).toPromise();
expect(before.error ?? null, null, "the error of a query");

const CREATE = gql`mutation Create($input: CreateGroupInput!) { createGroup(input: $input) { group { id slug } errors { code } } }`;
const created = await client
  .mutation(CREATE, { input: { slug: `urql-check-${process.pid}`, displayName: "urql check" } })
  .toPromise();
const { id } = created.data.createGroup.group;
const DELETE = gql`mutation Delete($input: DeleteGroupInput!) { deleteGroup(input: $input) { deletedGroupId errors { code } } }`;
const GROUP = gql`query Group($id: ID!) { group(by: { id: $id }) { id slug } }`;
await client.query(GROUP, { id }).toPromise();
await client.mutation(DELETE, { input: { group: { id }, validateOnly: true } }).toPromise();
const kept = await client.query(GROUP, { id }, { requestPolicy: "cache-first" }).toPromise();
expect(kept.data.group?.id ?? null, id, "the group after a tried deletion");
await client.mutation(DELETE, { input: { group: { id } } }).toPromise();
const gone = await client.query(GROUP, { id }, { requestPolicy: "cache-first" }).toPromise();
expect(gone.data.group, null, "the group after its deletion");
expect(warnings.filter((text) => !text.includes("No directive")), [], "warnings of the cache");
