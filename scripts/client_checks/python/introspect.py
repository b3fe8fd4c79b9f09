"""Writes the introspection of the server to a file, as generators do that start from the address."""

import json
import sys
from pathlib import Path

from gql import Client, gql
from gql.transport.httpx import HTTPXTransport
from graphql import get_introspection_query
from session import URL, sign_in

transport = HTTPXTransport(url=URL, headers={"Authorization": f"Bearer {sign_in()}"})
document = gql(get_introspection_query(input_value_deprecation=False))
Path(sys.argv[1]).write_text(json.dumps(Client(transport=transport).execute(document)))
