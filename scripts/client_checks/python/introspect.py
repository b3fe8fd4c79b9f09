"""Writes the introspection of the server to a file, as generators do that start from the address."""

import json
import sys
from pathlib import Path

from gql import Client
from gql.transport.httpx import HTTPXTransport
from graphql import get_introspection_query
from session import URL, sign_in

transport = HTTPXTransport(url=URL, headers={"Authorization": f"Bearer {sign_in()}"})
with Client(transport=transport) as client:
    from gql import gql

    Path(sys.argv[1]).write_text(
        json.dumps(client.execute(gql(get_introspection_query(input_value_deprecation=False))))
    )
