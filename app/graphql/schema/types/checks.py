"""Queries of data services: check access, and explain why a user has or lacks a role."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import strawberry
from strawberry.utils.str_converters import to_camel_case

from app.db import Database
from app.domain import refs
from app.domain.errors import BadInput, Unknown
from app.domain.resource_roles import SubjectType
from app.domain.viewer import Viewer
from app.graphql.schema.decorators import object_type
from app.graphql.schema.enums import LEVELS, ResourceRole, kind_named, of_value, role_list
from app.graphql.schema.fields import computed_field, service_field
from app.graphql.schema.payloads import fill_payload
from app.graphql.schema.refs import ResourceBy, UserBy, resolve_resource, resolve_user
from app.graphql.schema.types.access import AccessDenial, AccessDenialCause, AccessSource
from app.services import checks, denials

Info = strawberry.Info[Any, Any]

WHO_MAY_ASK = (
    "Every user may ask about themselves. To ask about others, the viewer needs ACCESS_VIEW, or ADMIN on the "
    "resource and the right to see the members of its org and of all groups in its access configuration. "
    "Otherwise the error is FORBIDDEN. Roles through RESOURCES_MANAGE are only reported with ACCESS_VIEW or "
    "USERS_VIEW. What the viewer may not see is NOT_FOUND."
)

ByUser = Annotated[UserBy, strawberry.argument(description="The user.")]
ByResource = Annotated[ResourceBy, strawberry.argument(description="The resource.")]
ByRole = Annotated[ResourceRole, strawberry.argument(description="The role.")]


async def _check(database: Database, viewer: Viewer, arguments: Mapping[str, Any]) -> bool:
    user_ref, resource_ref = resolve_user(arguments["user"]), resolve_resource(arguments["resource"])
    return await checks.check_access(database, viewer, user_ref, resource_ref, int(arguments["role"].value))


async def _check_batch(database: Database, viewer: Viewer, arguments: Mapping[str, Any]) -> list[bool]:
    roles = arguments["roles"]
    users, by_name = _one_of(arguments, "users", "user_names")
    resources, by_path = _one_of(arguments, "resources", "resource_paths")
    if not len(users) == len(resources) == len(roles):
        raise BadInput("Users, resources and `roles` must have the same length.", "roles")
    checks.require_check_count(viewer, len(users))
    bits = [role._value_ for role in roles]  # `value` is a call
    user_ids = await checks.find_user_ids(database, users) if by_name else refs.keys_of("User", users)
    resource_ids = (
        await checks.find_resource_ids(database, resources) if by_path else refs.keys_of("Resource", resources)
    )
    try:
        return await checks.check_access_batch(database, viewer, user_ids, resource_ids, bits, by_name=by_name)
    except Unknown as error:
        names = ("users", "userNames")[by_name] if error.noun == "user" else ("resources", "resourcePaths")[by_path]
        raise Unknown(error.noun, error.index, names, error.index) from None


def _one_of(arguments: Mapping[str, Any], ids: str, names: str) -> tuple[Sequence[str], bool]:
    """Return the one of two arguments that is present, and whether it has names."""
    if (arguments.get(ids) is None) == (arguments.get(names) is None):
        raise BadInput(f"Give exactly one of `{ids}` and `{to_camel_case(names)}`.", ids)
    return (arguments[names], True) if arguments.get(ids) is None else (arguments[ids], False)


@object_type
class Checks:
    """Queries about access."""

    check_access: bool | None = service_field(
        "Return whether a user has a role on a resource. False for the viewer's own role on a resource that they "
        f"cannot see. {WHO_MAY_ASK}",
        _check,
        ("user", UserBy, "The user."),
        ("resource", ResourceBy, "The resource."),
        ("role", ResourceRole, "The role."),
    )
    check_access_batch: list[bool] | None = service_field(
        f"Return whether users have roles on resources, for up to 10,000 triples, in their order. {WHO_MAY_ASK}",
        _check_batch,
        ("users", list[strawberry.ID] | None, "Global ids of users, at most 10,000. Alternative: `userNames`."),
        ("user_names", list[str] | None, "User names, at most 10,000, without regard to letter case."),
        (
            "resources",
            list[strawberry.ID] | None,
            "Global ids of resources, as many as users. Alternative: `resourcePaths`.",
        ),
        ("resource_paths", list[str] | None, "Paths of resources, `ORG_SLUG/SLUG`, as many as users."),
        ("roles", list[ResourceRole], "Roles, as many as users."),
    )

    @computed_field(
        f"Return all sources of the roles of a user on a resource. Empty if the user has none. {WHO_MAY_ASK}"
    )
    async def explain_access(self, info: Info, user: ByUser, resource: ByResource) -> list[AccessSource] | None:
        context = info.context
        user_ref, resource_ref = resolve_user(user), resolve_resource(resource)
        return [
            _source(reason)
            for reason in await checks.explain_access(context.database, context.viewer, user_ref, resource_ref)
        ]

    @computed_field(
        f"Return the reasons why a user does not have a role on a resource. Empty if the user has it. {WHO_MAY_ASK} "
        "For the viewer's own role on a resource that they cannot see, the cause is NO_ENTRY."
    )
    async def explain_denial(
        self, info: Info, user: ByUser, resource: ByResource, role: ByRole
    ) -> list[AccessDenial] | None:
        context, user_ref, resource_ref = info.context, resolve_user(user), resolve_resource(resource)
        reasons = await denials.explain_denial(
            context.database, context.viewer, user_ref, resource_ref, int(role.value)
        )
        return [_denial(reason) for reason in reasons]


def _denial(denial: denials.Denial) -> AccessDenial:
    values = {
        "cause": of_value(AccessDenialCause, denial.cause.value),
        "kind": None if denial.kind is None else kind_named(int(denial.kind)),
        "group": denial.key if denial.kind is SubjectType.GROUP else None,
        "granted_roles": role_list(denial.granted),
        "ended_at": denial.ended_at,
    }
    return fill_payload(AccessDenial, values)


def _source(reason: checks.Reason) -> AccessSource:
    values = {
        "kind": kind_named(int(reason.kind)),
        "granted_roles": role_list(reason.granted),
        "effective_roles": role_list(reason.mask),
        "group": reason.key if reason.kind is SubjectType.GROUP else None,
        "org_level": None if reason.level is None else LEVELS[reason.level],
        "expires_at": reason.expires_at,
    }
    return fill_payload(AccessSource, values)
