"""Inputs that identify one user, role, org, group or resource, and their conversion to a row reference."""

from collections.abc import Callable, Mapping
from typing import Any

import strawberry

from app.domain import refs
from app.domain.refs import RowRef
from app.graphql.schema.decorators import input_type, one_of_input, optional
from app.query.relations import Lookup
from app.services import read_graph, validation


@one_of_input
class UserBy:
    """Identifies a user. Exactly one field must be set."""

    id: strawberry.ID | None = optional("The global id.")
    user_name: str | None = optional("The user name, without regard to letter case.")
    email: str | None = optional(
        "The e-mail address, without regard to letter case. It finds the viewer, and with USERS_VIEW or "
        "USERS_MANAGE every user. For all other viewers no user has it."
    )


@one_of_input
class RoleBy:
    """Identifies a role. Exactly one field must be set."""

    id: strawberry.ID | None = optional("The global id.")
    name: str | None = optional("The name, without regard to letter case.")


@one_of_input
class OrgBy:
    """Identifies an org. Exactly one field must be set."""

    id: strawberry.ID | None = optional("The global id.")
    slug: str | None = optional("The slug.")


@one_of_input
class GroupBy:
    """Identifies a group. Exactly one field must be set."""

    id: strawberry.ID | None = optional("The global id.")
    slug: str | None = optional("The slug.")


@input_type
class ResourcePath:
    """The slugs that identify a resource."""

    org_slug: str = strawberry.field(description="The slug of the org.")
    slug: str = strawberry.field(description="The slug of the resource.")


@one_of_input
class ResourceBy:
    """Identifies a resource. Exactly one field must be set."""

    id: strawberry.ID | None = optional("The global id.")
    path: ResourcePath | None = optional("The slugs of the org and of the resource.")


def resolve_user(by: UserBy) -> RowRef:
    """Return the reference to a user."""
    return ("email", by.email) if by.email is not None else _resolve("User", by, "user_name")


def resolve_role(by: RoleBy) -> RowRef:
    """Return the reference to a role."""
    return _resolve("Role", by, "name")


def resolve_org(by: OrgBy) -> RowRef:
    """Return the reference to an org."""
    return _resolve("Org", by, "slug")


def resolve_group(by: GroupBy) -> RowRef:
    """Return the reference to a group."""
    return _resolve("Group", by, "slug")


def resolve_resource(by: ResourceBy) -> RowRef:
    """Return the reference to a resource."""
    if by.id is not None:
        return _by_id("Resource", by.id)
    assert by.path is not None
    return "path", validation.normalize_key(f"{by.path.org_slug}/{by.path.slug}")


def _resolve(kind: str, by: Any, name: str) -> RowRef:
    """Return the reference by id, or by the field `name`."""
    return (name, getattr(by, name)) if by.id is None else _by_id(kind, by.id)


def _by_id(kind: str, node_id: str) -> RowRef:
    """Return the reference by id; 0, which no row has, if the text is not a global id of this type."""
    return "id", refs.key_of(kind, node_id) or 0


def _choose(resolve: Callable[[Any], RowRef]) -> Callable[[Mapping[str, Any]], RowRef]:
    """Return a function from the arguments of a lookup to the row reference, with natural keys normalized."""
    return lambda arguments: validation.normalize_ref(resolve(arguments["by"]))


user_lookup = Lookup(
    {"id": read_graph.user, "user_name": read_graph.user_named, "email": read_graph.user_emailed},
    _choose(resolve_user),
)
role_lookup = Lookup({"id": read_graph.role, "name": read_graph.role_named}, _choose(resolve_role))
org_lookup = Lookup({"id": read_graph.org, "slug": read_graph.org_slugged}, _choose(resolve_org))
group_lookup = Lookup({"id": read_graph.group, "slug": read_graph.group_slugged}, _choose(resolve_group))
resource_lookup = Lookup({"id": read_graph.resource, "path": read_graph.resource_at}, _choose(resolve_resource))
