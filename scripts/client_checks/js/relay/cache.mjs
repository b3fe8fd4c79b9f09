// Compares Relay's cache with the server after tried and real changes: the same groups, in every case.
import relay from "relay-runtime";
import { ask, expect, signIn } from "../session.mjs";

const { ConnectionHandler, Environment, Network, RecordSource, ROOT_ID, Store } = relay;
const { commitMutation, createOperationDescriptor, fetchQuery, getRequest } = relay;
const artifact = async (name) => (await import(`../out/relay/${name}.graphql.js`)).default;
const token = await signIn();
const environment = new Environment({
  network: Network.create((operation, variables) => ask({ query: operation.text, variables }, token)),
  store: new Store(new RecordSource()),
});
const query = await artifact("operationsGroupsQuery");
const list = await artifact("operationsListQuery");
environment.retain(createOperationDescriptor(getRequest(query), {}));
await fetchQuery(environment, query, {}).toPromise();

let connection;
environment.commitUpdate((store) => {
  const record = ConnectionHandler.getConnection(store.get(ROOT_ID), "operations_groups");
  connection = record.getDataID();
});
await compare("after the first read");

const slug = (text) => `client-check-${text}-${process.pid}`;
const groupInput = (text, more) => ({ slug: slug(text), displayName: `Client check ${text}`, ...more });
for (const [name, text] of [["operationsAppendNodeMutation", "node"], ["operationsAppendEdgeMutation", "edge"]]) {
  await change(name, groupInput(text, { validateOnly: true }));
  await compare(`${name}, tried`);
  await change(name, groupInput(text, {}));
  await compare(`${name}, made`, slug(text));
}
for (const text of ["node", "edge"]) {
  await change("operationsDeleteEdgeMutation", { group: { slug: slug(text) }, validateOnly: true });
  await compare("operationsDeleteEdgeMutation, tried", slug(text));
  await change("operationsDeleteEdgeMutation", { group: { slug: slug(text) } });
  await compare("operationsDeleteEdgeMutation, made");
}

async function change(name, input) {
  const mutation = await artifact(name);
  const variables = { input, connections: [connection] };
  await new Promise((resolve, reject) => {
    const onCompleted = (data, errors) => (errors ? reject(new Error(JSON.stringify(errors))) : resolve(data));
    commitMutation(environment, { mutation, variables, onCompleted, onError: reject });
  });
}

async function compare(when, contained) {
  const slugs = [];
  environment.commitUpdate((store) => {
    for (const edge of store.get(connection).getLinkedRecords("edges") ?? []) {
      slugs.push(edge?.getLinkedRecord("node")?.getValue("slug") ?? null);
    }
  });
  const { data } = await ask({ query: list.params.text, variables: {} }, token);
  expect(slugs.sort(), data.groups.nodes.map((node) => node.slug).sort(), `${when}: the groups in the cache`);
  if (contained && !slugs.includes(contained)) throw new Error(`${when}: ${contained} is missing`);
}
