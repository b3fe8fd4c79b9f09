"""The access matrix of sign-in, users and roles."""

from typing import Any

from app.domain import refs
from app.domain.viewer import Permission
from tests.oracle.matrix import (
    NOBODY_OF_THAT_NAME,
    NUMBERS,
    PERMITTED,
    SIGNED_IN,
    Case,
    Family,
    Scene,
    Setting,
    World,
    asked_by,
    registry,
    the_user,
    with_name,
    with_nothing,
    with_role,
    with_user,
)
from tests.support.factories import PASSWORD, Make

NEW_PASSWORD = "another horse another staple"
OF_USERS = registry(Permission.USERS_MANAGE)
OF_ROLES = registry(Permission.ROLES_MANAGE)
OF_ONESELF = Family({**asked_by(Permission.USERS_MANAGE), "the user": the_user})


async def _login(make: Make, world: World) -> Scene:
    return Scene({"userName": (await make.user()).user_name, "password": PASSWORD})


async def _several(make: Make, world: World) -> Scene:
    invalid = {"users": [{"userName": ""}, {"userName": "b", "roles": ["none"]}]}
    return Scene({"users": [{"userName": f"new{next(NUMBERS)}", "roles": []} for _ in range(2)]}, invalid)


async def _address(make: Make, world: World) -> Scene:
    values = {"user": {"id": (await make.user()).node}, "email": f"new{next(NUMBERS)}@b.example"}
    return Scene(values, {"email": "nowhere"})


async def _other_name(make: Make, world: World) -> Scene:
    values = {"user": {"id": (await make.user()).node}, "userName": f"other{next(NUMBERS)}"}
    return Scene(values, {"userName": "admin of all"})


async def _token(make: Make, world: World) -> Scene:
    """Create an API token of a user."""
    user = await make.user()
    _, key = await make.api_token(user)
    values = {"apiToken": refs.encode("ApiToken", key)}
    return Scene(values, {"apiToken": refs.encode("ApiToken", 999_999)}, subject=user)


async def _account(make: Make, world: World) -> Scene:
    """Create a service account for a new API token."""
    user = await make.user(is_service_account=True)
    return Scene({"name": f"new{next(NUMBERS)}", "user": {"id": user.node}}, {"name": ""}, subject=user)


def _managed(scene: Setting) -> Case:
    return Case(scene, OF_USERS, PERMITTED, Permission.USERS_MANAGE)


def _of_role(scene: Setting) -> Case:
    return Case(scene, OF_ROLES, PERMITTED, Permission.ROLES_MANAGE)


def _own(scene: Setting, **more: Any) -> Case:
    return Case(scene, OF_USERS, SIGNED_IN, **more)


PEOPLE = {
    "login": Case(_login, OF_USERS, SIGNED_IN | {"nobody"}, is_open=True, has_trial=False),
    "refreshToken": _own(with_nothing(), has_trial=False, writes=False),
    "logout": _own(with_nothing(), has_trial=False),
    "signOutEverywhere": Case(
        with_user({"user": NOBODY_OF_THAT_NAME}), OF_ONESELF, PERMITTED | {"the user"}, Permission.USERS_MANAGE
    ),
    "changePassword": _own(
        with_nothing({"oldPassword": PASSWORD, "newPassword": NEW_PASSWORD}, {"newPassword": "short"})
    ),
    "resetPassword": _managed(with_user({"newPassword": "short"}, newPassword=NEW_PASSWORD)),
    "createUser": _managed(with_name("userName", {"userName": "", "email": "x"}, roles=[])),
    "createUsers": _managed(_several),
    "updateUser": _managed(_address),
    "deleteUser": _managed(with_user({"successor": NOBODY_OF_THAT_NAME})),
    "setUserMetadata": _managed(with_user({"metadata": []}, metadata={"roles": ["fresh"]})),
    "assignRoles": _managed(with_user({"roles": ["none", "user", "such"]}, roles=["deactivated"])),
    "addRoles": _managed(with_user({"roles": ["none", "user"]}, roles=["deactivated"])),
    "removeRoles": _managed(with_user({"roles": ["none", "user"]}, roles=["deactivated"], holds=["deactivated"])),
    "deactivateUser": _managed(with_user({"user": NOBODY_OF_THAT_NAME})),
    "reactivateUser": _managed(with_user({"user": NOBODY_OF_THAT_NAME}, holds=["deactivated"])),
    "renameUser": _managed(_other_name),
    "updateViewer": _own(with_nothing({"displayName": "Ann A."}, {"displayName": "a\nb"})),
    "patchUserMetadata": _managed(with_user({"patch": {"maxStorageMB": -1}}, patch={"roles": ["fresh"]})),
    "createApiToken": Case(_account, OF_ONESELF, PERMITTED | {"the user"}, Permission.USERS_MANAGE),
    "revokeApiToken": Case(_token, OF_ONESELF, PERMITTED | {"the user"}, Permission.USERS_MANAGE),
    "createServiceAccount": _managed(with_name("userName", {"userName": ""})),
    "createRole": _of_role(with_name("name", {"name": "a/b", "description": "x" * 1_001})),
    "updateRole": _of_role(with_role({"name": "ADMIN"}, description="new")),
    "deleteRole": _of_role(with_role({"role": {"name": "admin"}})),
}
