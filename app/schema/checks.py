"""May she? And why? The questions that data services ask, over GraphQL."""

from typing import Annotated, Any

import strawberry

from app import ids
from app.errors import BadInput
from app.masks import Kind
from app.schema.access import AccessSource
from app.schema.declare import computed
from app.schema.masks import LEVELS, ResourceRole, kind_named, role_list
from app.schema.mutations import filled
from app.schema.resources import ResourceBy
from app.schema.resources import chosen as chosen_resource
from app.schema.users import UserBy
from app.schema.users import chosen as chosen_user
from app.services import checks

Info = strawberry.Info[Any, Any]

ByUser = Annotated[UserBy, strawberry.argument(description="Which user.")]
ByResource = Annotated[ResourceBy, strawberry.argument(description="Which resource.")]
Role = Annotated[ResourceRole, strawberry.argument(description="Which role.")]
UserIds = Annotated[list[strawberry.ID], strawberry.argument(description="The users' global ids, at most 10,000.")]
ResourceIds = Annotated[list[strawberry.ID], strawberry.argument(description="The resources' ids, as many.")]
Roles = Annotated[list[ResourceRole], strawberry.argument(description="The roles, as many.")]

WHO_MAY_ASK = "About oneself everybody may ask; about others who holds ADMIN on the resource, or RESOURCES_MANAGE."


@strawberry.type
class Checks:
    """The questions about rights."""

    @computed(f"Whether a user holds a role on a resource; not on one that is unknown. {WHO_MAY_ASK}")
    async def check_access(self, info: Info, user: ByUser, resource: ByResource, role: Role) -> bool | None:
        context = info.context
        way, where = chosen_user(user), chosen_resource(resource)
        return await checks.check_access(context.database, context.viewer, way, where, int(role.value))

    @computed(f"The same for up to 10,000 (user, resource, role) at once, in columns; order kept. {WHO_MAY_ASK}")
    async def check_access_batch(
        self, info: Info, users: UserIds, resources: ResourceIds, roles: Roles
    ) -> list[bool] | None:
        if not len(users) == len(resources) == len(roles):
            raise BadInput("`users`, `resources` and `roles` are columns of one table: they have the same length.")
        asked = [
            (ids.key_of("User", user) or 0, ids.key_of("Resource", resource) or 0, int(role.value))
            for user, resource, role in zip(users, resources, roles, strict=True)
        ]
        return await checks.check_access_batch(info.context.database, info.context.viewer, asked)

    @computed(f"Every way in which a user comes to roles on a resource; none where there is none. {WHO_MAY_ASK}")
    async def explain_access(self, info: Info, user: ByUser, resource: ByResource) -> list[AccessSource] | None:
        context = info.context
        way, where = chosen_user(user), chosen_resource(resource)
        return [_source(reason) for reason in await checks.explain_access(context.database, context.viewer, way, where)]


def _source(reason: checks.Reason) -> AccessSource:
    shown = {
        "kind": kind_named(int(reason.kind)),
        "granted_roles": role_list(reason.granted),
        "roles": role_list(reason.mask),
        "group": reason.key if reason.kind is Kind.GROUP else None,
        "org_level": None if reason.level is None else LEVELS[reason.level],
        "expires_at": reason.expires_at,
    }
    return filled(AccessSource, shown)
