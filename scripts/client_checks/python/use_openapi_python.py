"""Queries with the client that OpenAPI Generator made."""

import sys

from session import ADDRESS, sign_in

sys.path.insert(0, "out/python")
import openapi_client as registry

with registry.ApiClient(registry.Configuration(host=ADDRESS)) as client:
    client.set_default_header("Authorization", f"Bearer {sign_in()}")
    users = registry.UsersApi(client)
    names = [user.user_name for user in users.list_users()]
if "admin" not in names:
    raise SystemExit(str(names))
