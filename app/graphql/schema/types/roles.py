"""The type of roles."""

from datetime import datetime

from app import policy
from app.db import tables
from app.graphql.schema.connections import Connection
from app.graphql.schema.decorators import object_type
from app.graphql.schema.directives import Permission, permission_list
from app.graphql.schema.fields import column, edge
from app.graphql.schema.filters import UserFilter, UserOrder
from app.graphql.schema.node import REVISION, Node
from app.graphql.schema.types.users import UserConnection
from app.services import read_graph


@object_type
class Role(Node, row=tables.Role):
    """A named set of permissions. Users have roles."""

    name: str = column("1 to 64 printable characters. Unique without regard to letter case.")
    description: str = column("Description for readers; at most 1,000 characters.")
    permissions: list[Permission] = column("Permissions of the role, in the order of the enum.", read=permission_list)
    is_built_in: bool = column(
        "Whether the role is built in: `admin`, `user` and `deactivated`. Built-in roles cannot be deleted."
    )
    created_at: datetime = column("When it was created.")
    revision: int = column(REVISION)
    users: UserConnection | None = edge(
        "The users with this role.",
        read_graph.role_users,
        tables.Role.id,
        guard=policy.sees_holders,
        requires=Permission.USERS_VIEW,
        filter=UserFilter,
        order=UserOrder,
    )


RoleConnection = Connection[Role]
