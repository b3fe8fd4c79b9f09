"""Queries with gql, which checks the documents against the schema before it sends them."""

from pathlib import Path

from gql import Client, gql
from gql.transport.httpx import HTTPXTransport
from session import URL, sign_in

transport = HTTPXTransport(url=URL, headers={"Authorization": f"Bearer {sign_in()}"})
client = Client(transport=transport, schema=Path("schema.graphql").read_text())
document = gql("query Users($first: Int!) { users(first: $first) { totalCount nodes { userName roles { name } } } }")
document.variable_values = {"first": 5}
data = client.execute(document)
if not data["users"]["nodes"]:
    raise SystemExit("no users")
