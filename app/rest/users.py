"""Routes of users."""

from collections.abc import Sequence
from typing import Any

from starlette.responses import Response

from app import policy
from app.db.statements import Row
from app.db.tables import Org, Role, User
from app.db.types import format_instant
from app.domain import refs
from app.domain.errors import Conflict, NotFound, Problem, Problems
from app.domain.refs import RowRef
from app.query.reader import ListReader
from app.query.relations import FieldSpec, layout
from app.rest import models
from app.rest.parameters import EMAIL, NEW_PASSWORD, TEXT, TEXTS, USER_NAME, Field, choice
from app.rest.request_bodies import Body
from app.rest.responses import convert_rows, empty, json
from app.rest.routing import AuthMode, Call, Route, require_result
from app.rest.storage import storage_by_user
from app.services import new_passwords, provisioning, read_graph, user_deletion, users
from app.services.new_passwords import NewPassword

_USER = layout(User, "id", "user_name", "created_at", email=FieldSpec(guard=policy.sees_user_details))
_ROLE = layout(Role, "name")
_ORG = layout(Org, "slug", "id")


async def _list(call: Call) -> Response:
    policy.require_users_view(call.viewer)
    rows = await call.reads.all(read_graph.users, _USER)
    users_json, _ = await _with_roles_and_orgs(call.reads, rows)
    return json(users_json)


async def _list_detailed(call: Call) -> Response:
    policy.require_users_view(call.viewer)
    reads = call.reads
    rows = await reads.all(read_graph.users, _USER)
    users_json, orgs = await _with_roles_and_orgs(reads, rows)
    storage = await storage_by_user(reads, [row[0] for row in rows])
    datasets = await reads.counts(read_graph.org_datasets, {key for keys in orgs for key in keys})

    def detailed(each: tuple[Row, dict[str, Any], set[int]]) -> dict[str, Any]:
        row, user, keys = each
        return {
            "id": refs.encode("User", row[0]),
            **user,
            "storageQuota": storage[row[0]]["total"],
            "storageUsed": storage[row[0]]["used"],
            "organizationCount": len(keys),
            "datasetCount": sum(datasets.get(key, 0) for key in keys),
            "createdDate": format_instant(row[2], timespec="auto"),
        }

    # Users without a storage were just deleted.
    users_of_storage = [each for each in zip(rows, users_json, orgs, strict=True) if each[0][0] in storage]
    return json(await convert_rows(users_of_storage, detailed))


async def _with_roles_and_orgs(reads: ListReader, rows: Sequence[Row]) -> tuple[list[dict[str, Any]], list[set[int]]]:
    """Return the JSON objects of users, and the ids of the orgs of each."""
    keys = [row[0] for row in rows]
    roles = await reads.related(read_graph.user_roles, _ROLE, keys)
    owned = await reads.related(read_graph.owned_orgs, _ORG, keys)
    joined = await reads.related(read_graph.member_orgs, _ORG, keys)

    def convert(row: Row) -> tuple[dict[str, Any], set[int]]:
        key, user_name, _, email, *_ = row
        orgs = [*owned.get(key, []), *joined.get(key, [])]
        user = {
            "userName": user_name,
            "email": email,
            "roles": [name for name, *_ in roles.get(key, [])],
            "organizations": models.union_sorted(slug for slug, *_ in orgs),
        }
        return user, {org_id for _, org_id, *_ in orgs}

    converted = await convert_rows(rows, convert)
    return [user for user, _ in converted], [orgs for _, orgs in converted]


async def _create(call: Call) -> Response:
    data = call.fields
    password_hash, problems = await _hash_password(call)
    roles = data.get("roles")
    role_names = users.DEFAULT_ROLES if roles is None else roles
    new = users.UserCreate(data["userName"], data.get("email"), password_hash, role_names)
    async with call.change("createUser") as tx:
        key = await provisioning.provision_one(tx, call.viewer, new, problems, with_orgs=call.app.has_personal_orgs)
    reads = call.reads
    row = require_result(await reads.one(read_graph.user, _USER, key))
    ((user,), _) = await _with_roles_and_orgs(reads, [row])
    return json(user)


async def _hash_password(call: Call) -> tuple[str | None, Sequence[Problem]]:
    """Return the hash, or the problems of the password, which are reported with those of the other fields."""
    try:
        password = NewPassword((), call.fields["password"])
        return (await new_passwords.hash_new_passwords(call.app, call.viewer, [password]))[0], ()
    except Problems as error:
        return None, error.problems


async def _update(call: Call) -> Response:
    changes = users.UserUpdate(call.fields.get("email"), call.fields.get("roles"))
    async with call.change("updateUser") as tx:
        await users.update_user(tx, call.viewer, call.user_ref(), changes)
    return empty()


async def _delete(call: Call) -> Response:
    return await _delete_user(call, call.path_parameters["userName"], call.query.get("successor"))


async def _delete_named(call: Call) -> Response:
    return await _delete_user(call, call.fields["userName"], call.fields.get("successor"))


async def _delete_user(call: Call, user_name: str, successor: str | None) -> Response:
    successor_ref: RowRef | None = ("user_name", successor) if successor else None
    async with call.change("deleteUser") as tx:
        deleted = await user_deletion.delete_user(tx, call.viewer, ("user_name", user_name), successor_ref)
    return json(
        {
            "userName": deleted.user_name,
            "successor": deleted.successor,
            "organizationsTransferred": deleted.orgs,
            "organizationsDeleted": 0,
            "datasetsTransferred": deleted.resources,
            "datasetsDeleted": 0,
            "batchesDeleted": 0,
            "datasetResults": [],
        }
    )


_NEW = (
    Field("userName", USER_NAME, "Letters and digits, 1 to 127; unique, ignoring letter case.", required=True),
    Field("password", NEW_PASSWORD, "Must follow the password policy; at most 1,024 characters.", required=True),
    Field("email", EMAIL, "Unique, ignoring letter case; absent, null or blank for none."),
    Field("roles", TEXTS, "Names of roles; `user` if absent or null."),
)
_CHANGES = (
    Field("email", EMAIL, "Blank removes it; absent or null keeps it."),
    Field("roles", TEXTS, "The new list of all roles; absent or null keeps them."),
)
_ON_CONFLICT = Field(
    "conflictResolution",
    choice("HaltOnConflict", "Overwrite", "Rename", by_name=True),
    "Accepted without effect: slugs are unique, so that there are no conflicts.",
)
_SUCCESSOR = Field(
    "successor",
    TEXT,
    "The new owner of the user's objects, who must be active; absent for no owner. The user may have no access that"
    " the viewer lacks.",
)

ROUTES = (
    Route(
        "POST",
        "/users",
        _create,
        AuthMode.REQUIRED,
        "Create a user; needs USERS_MANAGE and every permission of the roles.",
        Body.ANY,
        _NEW,
        response_type=models.User,
        refusals=(403, 429),
        answers_400=(Conflict,),
        name="createUser",
        needs_local_accounts=True,
    ),
    Route(
        "GET",
        "/users",
        _list,
        AuthMode.REQUIRED,
        "Every user, by user name; needs USERS_VIEW.",
        response_type=list[models.User],
        refusals=(403,),
        name="listUsers",
    ),
    Route(
        "GET",
        "/users/detailed",
        _list_detailed,
        AuthMode.REQUIRED,
        "Every user with storage and counts, by user name; needs USERS_VIEW.",
        response_type=list[models.DetailedUser],
        refusals=(403,),
        name="listDetailedUsers",
    ),
    Route(
        "PUT",
        "/users/{userName}",
        _update,
        AuthMode.REQUIRED,
        "Change the e-mail or the roles of a user with no more permissions than the viewer; needs USERS_MANAGE.",
        Body.JSON,
        _CHANGES,
        refusals=(403, 409),
        answers_400=(NotFound, Conflict),
        name="updateUser",
        has_revision=True,
        needs_local_accounts=True,
    ),
    Route(
        "DELETE",
        "/users/{userName}",
        _delete,
        AuthMode.REQUIRED,
        "Delete a user with no more permissions than the viewer; needs USERS_MANAGE. The user's objects stay. A body is"
        " ignored.",
        query=(_SUCCESSOR, _ON_CONFLICT),
        response_type=models.Deleted,
        refusals=(403, 409),
        answers_400=(NotFound,),
        name="deleteUser",
        has_revision=True,
        needs_local_accounts=True,
    ),
    Route(
        "DELETE",
        "/users",
        _delete_named,
        AuthMode.REQUIRED,
        "Delete the user named in the body, as DELETE /users/{userName} does.",
        Body.ANY,
        (Field("userName", TEXT, "User to delete, in any letter case.", required=True), _SUCCESSOR, _ON_CONFLICT),
        response_type=models.Deleted,
        refusals=(403, 409),
        answers_400=(NotFound,),
        name="deleteNamedUser",
        has_revision=True,
        needs_local_accounts=True,
    ),
)
