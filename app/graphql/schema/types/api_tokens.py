"""The type of API tokens."""

from datetime import datetime

from app.db import tables
from app.graphql.schema.connections import Connection
from app.graphql.schema.decorators import object_type
from app.graphql.schema.directives import Permission, permission_list
from app.graphql.schema.fields import column, edge
from app.graphql.schema.node import Node
from app.graphql.schema.types.orgs import Org
from app.graphql.schema.types.resources import Resource
from app.graphql.schema.types.users import User
from app.services import read_graph


@object_type
class ApiToken(Node, row=tables.ApiToken):
    """A token for programs. It acts as its owner, with the owner's current rights, reduced to its own permissions."""

    name: str = column("Name of its purpose; 1 to 200 printable characters.")
    prefix: str = column("First characters of the token, to recognize it. The rest is not stored.")
    user: User | None = edge("The owner.", read_graph.user, tables.ApiToken.user_id)
    permissions: list[Permission] = column(
        "Permissions of the token, in the order of the enum. The owner must have a permission too, at the time of use.",
        read=permission_list,
    )
    is_limited: bool = column(
        "Whether the token is limited to its `orgs` and `resources`. It stays limited when these are deleted."
    )
    orgs: list[Org] | None = edge(
        "The orgs, with all their resources, to which the token is limited. Only those that the viewer can see.",
        read_graph.api_token_orgs,
        tables.ApiToken.id,
    )
    resources: list[Resource] | None = edge(
        "The resources to which the token is limited. Only those that the viewer can see.",
        read_graph.api_token_resources,
        tables.ApiToken.id,
    )
    created_at: datetime = column("When it was created.")
    expires_at: datetime | None = column("When it ends. Null if it does not end.")
    last_used_at: datetime | None = column("When it was last used, to the minute. Null if never.")


ApiTokenConnection = Connection[ApiToken]
