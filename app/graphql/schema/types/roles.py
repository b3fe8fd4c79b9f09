"""Roles over GraphQL."""

from datetime import datetime

import strawberry

from app import policy
from app.db import Transaction, tables
from app.domain import refs
from app.domain.viewer import Viewer
from app.graphql.schema.connections import Connection, OrderDirection
from app.graphql.schema.decorators import input_type, object_type
from app.graphql.schema.directives import Permission, permission_list, permission_mask
from app.graphql.schema.enums import DescribedEnum, enum
from app.graphql.schema.fields import column, edge
from app.graphql.schema.filters import UserFilter, UserOrder
from app.graphql.schema.node import Node
from app.graphql.schema.payloads import ChangeInput, Outcome, Payload, mutation
from app.graphql.schema.refs import RoleBy, resolve_role
from app.graphql.schema.types.users import UserConnection
from app.services import read_graph, roles


@object_type
class Role(Node, row=tables.Role):
    """A name for a set of permissions. Users hold roles."""

    name: str = column("Unique without regard to letter case; 1 to 64 printable characters.")
    description: str = column("For people; at most 1,000 characters.")
    permissions: list[Permission] = column("What it allows, in the order of the enum.", read=permission_list)
    is_built_in: bool = column("`admin`, `user` and `deactivated` came with the registry and stay.")
    created_at: datetime = column("When it was made.")
    users: UserConnection | None = edge(
        "Who holds it.",
        read_graph.role_users,
        tables.Role.id,
        guard=policy.sees_holders,
        requires=Permission.USERS_VIEW,
        filter=UserFilter,
        order=UserOrder,
    )


RoleConnection = Connection[Role]


@enum
class RoleOrderField(DescribedEnum):
    """What roles can be ordered by."""

    NAME = ("name", "The name, without regard to letter case.")


@input_type
class RoleOrder:
    """One term of an order of roles."""

    field: RoleOrderField = strawberry.field(description="What to order by.")
    direction: OrderDirection = strawberry.field(default=OrderDirection.ASC, description="Which way.")


@input_type
class CreateRoleInput(ChangeInput):
    """A new role."""

    name: str = strawberry.field(
        description=(
            "1 to 64 printable characters of one script, without `/` and `\\`, that pass for no other name; "
            "unique without regard to letter case and to how Unicode spells them."
        )
    )
    description: str = strawberry.field(default="", description="For people; at most 1,000 characters.")
    permissions: list[Permission] = strawberry.field(
        default_factory=list,
        description="What it allows; only what the viewer holds herself. None makes it a plain label.",
    )


@input_type
class UpdateRoleInput(ChangeInput):
    """What to change of a role; what is absent stays."""

    role: RoleBy = strawberry.field(description="Which role.")
    name: str | None = strawberry.field(default=None, description="A new name; built-in roles keep theirs.")
    description: str | None = strawberry.field(default=None, description="A new description; at most 1,000 characters.")
    permissions: list[Permission] | None = strawberry.field(
        default=None, description="What it allows from now on; `admin` and `deactivated` keep theirs."
    )


@input_type
class DeleteRoleInput(ChangeInput):
    """Which role to delete."""

    role: RoleBy = strawberry.field(description="Which role; nobody may hold it.")


@object_type
class CreateRolePayload(Payload):
    """The answer to `createRole`."""

    role: Role | None = edge("The new role.", read_graph.role)


@object_type
class UpdateRolePayload(Payload):
    """The answer to `updateRole`."""

    role: Role | None = edge("The role as it now is.", read_graph.role)


@object_type
class DeleteRolePayload(Payload):
    """The answer to `deleteRole`."""

    deleted_role_id: strawberry.ID | None = strawberry.field(description="The id that the role had.")


async def _create(tx: Transaction, viewer: Viewer, given: CreateRoleInput) -> Outcome:
    permissions = permission_mask(given.permissions)
    return {"role": await roles.create_role(tx, viewer, given.name, given.description, permissions)}


async def _update(tx: Transaction, viewer: Viewer, given: UpdateRoleInput) -> Outcome:
    permissions = None if given.permissions is None else permission_mask(given.permissions)
    changes = roles.RoleUpdate(given.name, given.description, permissions)
    return {"role": await roles.update_role(tx, viewer, resolve_role(given.role), changes)}


async def _delete(tx: Transaction, viewer: Viewer, given: DeleteRoleInput) -> Outcome:
    return {"deleted_role_id": refs.encode("Role", await roles.delete_role(tx, viewer, resolve_role(given.role)))}


@object_type
class RoleMutations:
    """The changes of roles."""

    create_role: CreateRolePayload | None = mutation(
        "Make a role.", CreateRoleInput, _create, requires=Permission.ROLES_MANAGE
    )
    update_role: UpdateRolePayload | None = mutation(
        "Change a role.", UpdateRoleInput, _update, requires=Permission.ROLES_MANAGE
    )
    delete_role: DeleteRolePayload | None = mutation(
        "Delete a role that nobody holds.", DeleteRoleInput, _delete, requires=Permission.ROLES_MANAGE
    )
