"""Mutations of roles."""

import strawberry

from app.db import Transaction
from app.domain import refs
from app.domain.viewer import Viewer
from app.graphql.schema.decorators import input_type, object_type, optional
from app.graphql.schema.directives import Permission, permission_mask
from app.graphql.schema.fields import edge
from app.graphql.schema.new_edges import Edge, new_edge
from app.graphql.schema.payloads import ChangeInput, Outcome, Payload, UpdateInput, mutation
from app.graphql.schema.refs import RoleBy, resolve_role
from app.graphql.schema.types.roles import Role
from app.services import list_edges, read_graph, roles


@input_type
class CreateRoleInput(ChangeInput):
    """A new role."""

    name: str = strawberry.field(
        description="1 to 64 printable characters of one script, without `/` and `\\`. Unique without regard to letter "
        "case, Unicode spelling and characters that look alike. Spaces at both ends are removed."
    )
    description: str = strawberry.field(default="", description="Description for readers; at most 1,000 characters.")
    permissions: list[Permission] = strawberry.field(
        default_factory=list,
        description="Permissions of the role, no more than the viewer has. A role without permissions is a label.",
    )


@input_type
class UpdateRoleInput(UpdateInput):
    """Changes of a role. Absent fields stay as they are."""

    role: RoleBy = strawberry.field(description="The role.")
    name: str | None = optional("A new name. Spaces at both ends are removed. Built-in roles cannot be renamed.")
    description: str | None = optional("A new description; at most 1,000 characters.")
    permissions: list[Permission] | None = optional(
        "The new permissions. Those of `admin` and `deactivated` cannot be changed."
    )


@input_type
class DeleteRoleInput(ChangeInput):
    """The role to delete."""

    role: RoleBy = strawberry.field(description="The role. No user may have it.")


@object_type
class CreateRolePayload(Payload):
    """Payload of `createRole`."""

    role: Role | None = edge("The new role.", read_graph.role)
    role_edge: Edge[Role] | None = new_edge("The new role as an item of `roles`.", list_edges.role, "role")


@object_type
class UpdateRolePayload(Payload):
    """Payload of `updateRole`."""

    role: Role | None = edge("The updated role.", read_graph.role)


@object_type
class DeleteRolePayload(Payload):
    """Payload of `deleteRole`."""

    deleted_role_id: strawberry.ID | None = strawberry.field(description="The id of the deleted role.")


async def _create(tx: Transaction, viewer: Viewer, data: CreateRoleInput) -> Outcome:
    permissions = permission_mask(data.permissions)
    return {"role": await roles.create_role(tx, viewer, data.name, data.description, permissions)}


async def _update(tx: Transaction, viewer: Viewer, data: UpdateRoleInput) -> Outcome:
    permissions = None if data.permissions is None else permission_mask(data.permissions)
    changes = roles.RoleUpdate(data.name, data.description, permissions)
    return {"role": await roles.update_role(tx, viewer, resolve_role(data.role), changes)}


async def _delete(tx: Transaction, viewer: Viewer, data: DeleteRoleInput) -> Outcome:
    return {"deleted_role_id": refs.encode("Role", await roles.delete_role(tx, viewer, resolve_role(data.role)))}


@object_type
class RoleMutations:
    """Mutations of roles."""

    create_role: CreateRolePayload | None = mutation(
        "Create a role.", CreateRoleInput, _create, requires=Permission.ROLES_MANAGE
    )
    update_role: UpdateRolePayload | None = mutation(
        "Update a role.", UpdateRoleInput, _update, requires=Permission.ROLES_MANAGE
    )
    delete_role: DeleteRolePayload | None = mutation(
        "Delete a role that no user has.", DeleteRoleInput, _delete, requires=Permission.ROLES_MANAGE
    )
