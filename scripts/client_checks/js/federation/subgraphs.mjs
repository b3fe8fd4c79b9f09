import { readFileSync } from "node:fs";

const LINK = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.7", import: ["@key", "@requires", "@shareable", "@inaccessible"])\n';

/**
 * The schema for composition. A payload leads to `Query` again, where other subgraphs have fields of their own: the
 * composition of The Guild finds no way from there to them, so that `query` is left out of the composed schema.
 */
const REGISTRY = readFileSync("schema.graphql", "utf8").replaceAll(/^  query: Query!$/gm, "  query: Query! @inaccessible");

/** The registry, and a subgraph that adds a field to its users. */
export const subgraphs = [
  { name: "registry", sdl: LINK + REGISTRY + '\nextend type User @key(fields: "id")\n' },
  {
    name: "papers",
    sdl: `${LINK}type User @key(fields: "id") { id: ID! papers: [String!]! }\ntype Query { paper(id: ID!): String }\n`,
  },
];
