"""May she? And why? The questions that data services ask, over GraphQL."""

from collections.abc import Mapping
from typing import Annotated, Any

import strawberry

from app.db import Database
from app.domain import refs
from app.domain.errors import BadInput
from app.domain.resource_roles import SubjectType
from app.domain.viewer import Viewer
from app.graphql.schema.decorators import object_type
from app.graphql.schema.enums import of_value
from app.graphql.schema.fields import computed, service_field
from app.graphql.schema.payloads import fill_payload
from app.graphql.schema.refs import ResourceBy, UserBy, resolve_resource, resolve_user
from app.graphql.schema.role_enums import LEVELS, ResourceRole, kind_named, role_list
from app.graphql.schema.types.access import AccessDenial, AccessDenialCause, AccessSource
from app.services import checks, denials

Info = strawberry.Info[Any, Any]

WHO_MAY_ASK = (
    "About oneself everybody may ask. About others asks who has ACCESS_VIEW; or ADMIN on the resource, while they may "
    "see the members of its org and of all groups with an entry there: else FORBIDDEN, whoever is asked about. Without "
    "ACCESS_VIEW or USERS_VIEW nothing is told of what others hold by RESOURCES_MANAGE. What does not exist for the "
    "asker is NOT_FOUND."
)

ByUser = Annotated[UserBy, strawberry.argument(description="Which user.")]
ByResource = Annotated[ResourceBy, strawberry.argument(description="Which resource.")]
ByRole = Annotated[ResourceRole, strawberry.argument(description="Which role.")]


async def _check(database: Database, viewer: Viewer, given: Mapping[str, Any]) -> bool:
    way, where = resolve_user(given["user"]), resolve_resource(given["resource"])
    return await checks.check_access(database, viewer, way, where, int(given["role"].value))


async def _check_batch(database: Database, viewer: Viewer, given: Mapping[str, Any]) -> list[bool]:
    users, resources, roles = given["users"], given["resources"], given["roles"]
    if not len(users) == len(resources) == len(roles):
        raise BadInput("`users`, `resources` and `roles` are columns of one table: they have the same length.")
    checks.require_few(viewer, len(users))
    keys = refs.keys_of("User", users), refs.keys_of("Resource", resources)
    bits = [role._value_ for role in roles]  # `value` is a call
    return await checks.check_access_batch(database, viewer, [*zip(*keys, bits, strict=True)])


@object_type
class Checks:
    """The questions about rights."""

    check_access: bool | None = service_field(
        f"Whether a user holds a role on a resource; nobody does on one that the asker may not know. {WHO_MAY_ASK}",
        _check,
        ("user", UserBy, "Which user."),
        ("resource", ResourceBy, "Which resource."),
        ("role", ResourceRole, "Which role."),
    )
    check_access_batch: list[bool] | None = service_field(
        f"The same for up to 10,000 (user, resource, role) at once, in columns; order kept. {WHO_MAY_ASK}",
        _check_batch,
        ("users", list[strawberry.ID], "The users' global ids, at most 10,000."),
        ("resources", list[strawberry.ID], "The resources' ids, as many."),
        ("roles", list[ResourceRole], "The roles, as many."),
    )

    @computed(f"Every way in which a user comes to roles on a resource; none where there is none. {WHO_MAY_ASK}")
    async def explain_access(self, info: Info, user: ByUser, resource: ByResource) -> list[AccessSource] | None:
        context = info.context
        way, where = resolve_user(user), resolve_resource(resource)
        return [_source(reason) for reason in await checks.explain_access(context.database, context.viewer, way, where)]

    @computed(
        f"Why a user does not hold a role on a resource, by entry; empty when the user does. {WHO_MAY_ASK} About a "
        "resource that they do not see themselves, users are told NO_ENTRY."
    )
    async def explain_denial(
        self, info: Info, user: ByUser, resource: ByResource, role: ByRole
    ) -> list[AccessDenial] | None:
        context, way, where = info.context, resolve_user(user), resolve_resource(resource)
        found = await denials.explain_denial(context.database, context.viewer, way, where, int(role.value))
        return [_denial(each) for each in found]


def _denial(denial: denials.Denial) -> AccessDenial:
    shown = {
        "cause": of_value(AccessDenialCause, denial.cause.value),
        "kind": None if denial.kind is None else kind_named(int(denial.kind)),
        "group": denial.key if denial.kind is SubjectType.GROUP else None,
        "granted_roles": role_list(denial.granted),
        "ended_at": denial.ended_at,
    }
    return fill_payload(AccessDenial, shown)


def _source(reason: checks.Reason) -> AccessSource:
    shown = {
        "kind": kind_named(int(reason.kind)),
        "granted_roles": role_list(reason.granted),
        "effective_roles": role_list(reason.mask),
        "group": reason.key if reason.kind is SubjectType.GROUP else None,
        "org_level": None if reason.level is None else LEVELS[reason.level],
        "expires_at": reason.expires_at,
    }
    return fill_payload(AccessSource, shown)
