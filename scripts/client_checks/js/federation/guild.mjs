// Composes the schema, as one subgraph beside another, with the composition of The Guild.
import { composeServices } from "@theguild/federation-composition";
import { parse } from "graphql";
import { subgraphs } from "./subgraphs.mjs";

const result = composeServices(subgraphs.map(({ name, sdl }) => ({ name, typeDefs: parse(sdl), url: `http://${name}` })));
if (result.errors?.length) throw new Error(result.errors.map((error) => error.message).join("\n"));
