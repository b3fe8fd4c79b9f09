import { readFileSync } from "node:fs";

const LINK = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.7", import: ["@key", "@requires", "@shareable"])\n';

/** The registry, and a subgraph that adds a field to its users. */
export const subgraphs = [
  { name: "registry", sdl: LINK + readFileSync("schema.graphql", "utf8") + '\nextend type User @key(fields: "id")\n' },
  {
    name: "papers",
    sdl: `${LINK}type User @key(fields: "id") { id: ID! papers: [String!]! }\ntype Query { paper(id: ID!): String }\n`,
  },
];
