// Typed requests of openapi-fetch. A wrong path, parameter or field fails the compiler.
import createClient from "openapi-fetch";
import type { paths } from "../out/openapi/types";

const client = createClient<paths>({ baseUrl: "http://127.0.0.1:5000" });

export async function names(): Promise<string[]> {
  const { data } = await client.GET("/users");
  return (data ?? []).map((user) => user.userName);
}
