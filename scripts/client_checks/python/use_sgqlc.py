"""Queries with the types that sgqlc generated."""

import sys

from session import URL, sign_in
from sgqlc.endpoint.http import HTTPEndpoint
from sgqlc.operation import Operation

sys.path.insert(0, "out")
from registry_schema import registry_schema as schema

operation = Operation(schema.Query)
groups = operation.groups(first=3)
groups.nodes.slug()
answer = HTTPEndpoint(URL, {"Authorization": f"Bearer {sign_in()}"})(operation)
if not (operation + answer).groups.nodes[0].slug:
    raise SystemExit(str(answer))
