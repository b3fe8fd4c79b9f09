"""Queries and changes with the client that ariadne-codegen generated."""

import sys

from session import URL, sign_in

sys.path.insert(0, "out")
from registry_client import Client, CreateGroupInput, DeleteGroupInput, GroupBy, ResourceFilter, StringFilter

client = Client(url=URL, headers={"Authorization": f"Bearer {sign_in()}"})
page = client.resources(first=5, filter_=ResourceFilter(name=StringFilter(contains="a")))
if not page.resources.nodes or page.resources.nodes[0].created_at.tzinfo is None:
    raise SystemExit("no resources, or a time without a zone")
tried = client.create_group(CreateGroupInput(slug="ariadne-check", displayName="Ariadne check"))
if tried.create_group.errors or tried.create_group.group.slug != "ariadne-check":
    raise SystemExit(str(tried))
client.delete_group(DeleteGroupInput(group=GroupBy(slug="ariadne-check")))
again = client.delete_group(DeleteGroupInput(group=GroupBy(slug="ariadne-check")))
if [error.code for error in again.delete_group.errors] != ["NOT_FOUND"]:
    raise SystemExit(str(again))
