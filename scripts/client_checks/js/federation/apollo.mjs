// Composes the schema, as one subgraph beside another, with Apollo's composition.
import { composeServices } from "@apollo/composition";
import { parse } from "graphql";
import { subgraphs } from "./subgraphs.mjs";

const result = composeServices(subgraphs.map(({ name, sdl }) => ({ name, typeDefs: parse(sdl), url: `http://${name}` })));
if (result.errors?.length) throw new Error(result.errors.map((error) => error.message).join("\n"));
