"""Claims about creating, updating and deleting roles."""

import asyncio
from typing import Any

from app import db
from app.db import tables
from app.domain import refs
from app.domain.viewer import Permission
from tests.support.changes import answered, change, problems, unchanged
from tests.support.client import Api, codes
from tests.support.factories import Make, rows_of

ROLE = "role { name description permissions isBuiltIn }"
CREATE, UPDATE = change("createRole", ROLE), change("updateRole", ROLE)
DELETE = change("deleteRole", "deletedRoleId")
ASSIGN = change("assignRoles")
BUILT_IN = ("admin", "user", "deactivated")


async def test_an_administrator_makes_a_role(api: Api, make: Make) -> None:
    fields = {
        "name": "Süd West",
        "description": "who\nlooks",
        "permissions": ["AUDIT_VIEW", "USERS_VIEW"],
    }

    reply = await api(CREATE, as_=await make.admin(), input=fields)

    assert answered(reply, "createRole")["role"] == {
        "name": "Süd West",
        "description": "who\nlooks",
        "permissions": ["USERS_VIEW", "AUDIT_VIEW"],
        "isBuiltIn": False,
    }


async def test_a_role_without_permissions_is_a_label(api: Api, make: Make) -> None:
    reply = await api(CREATE, as_=await make.admin(), input={"name": "label"})

    assert answered(reply, "createRole")["role"]["permissions"] == []


async def test_every_problem_is_named_at_once(api: Api, make: Make, database: db.Database) -> None:
    root = await make.admin()
    names = ["", " ", "a/b", "a\nb", "a\0", "x" * 65]

    async with unchanged(database):
        replies = [await api(CREATE, as_=root, input={"name": name, "description": "x" * 1_001}) for name in names]
        replies += [await api(CREATE, as_=root, input={"name": name, "description": "a\0"}) for name in names]

    assert [problems(reply) for reply in replies] == [
        {"INVALID_INPUT input.name", "INVALID_INPUT input.description"}
    ] * len(replies)


async def test_a_name_that_differs_by_case_is_taken(api: Api, make: Make, database: db.Database) -> None:
    root = await make.admin()
    await make.role("editor")
    await make.role("Strasse")
    other = {"id": refs.encode("Role", await make.role("other"))}
    taken = ["Editor", "EDITOR", "Admin", "straße", "STRASSE"]

    async with unchanged(database):
        created = [await api(CREATE, as_=root, input={"name": name}) for name in taken]
        renamed = [await api(UPDATE, as_=root, input={"role": other, "name": name}) for name in taken]

    assert [problems(reply) for reply in [*created, *renamed]] == [{"CONFLICT input.name"}] * 10


async def test_of_two_who_make_a_role_at_the_same_moment_one_makes_it(
    api: Api, make: Make, database: db.Database
) -> None:
    root, before = await make.admin(), await rows_of(database, tables.Role)

    replies = await asyncio.gather(*(api(CREATE, as_=root, input={"name": name}) for name in ("label", "LABEL")))

    assert sorted(map(sorted, map(problems, replies))) == [[], ["CONFLICT input.name"]]
    assert await rows_of(database, tables.Role) == before + 1


async def test_the_named_fields_of_a_role_change_and_the_rest_stays(api: Api, make: Make) -> None:
    root = await make.admin()
    old = {"description": "who writes", "permissions": ["ORGS_CREATE"], "isBuiltIn": False}
    cases: list[dict[str, Any]] = [
        {},
        {"name": "ROLE1"},
        {"name": "writer"},
        {"description": ""},
        {"permissions": []},
        {"permissions": ["AUDIT_VIEW"]},
        {"name": None, "description": None, "permissions": None},
    ]

    for at, fields in enumerate(cases):
        await api(
            CREATE, as_=root, input={"name": f"role{at}", "description": "who writes", "permissions": ["ORGS_CREATE"]}
        )
        reply = await api(UPDATE, as_=root, input={"role": {"name": f"Role{at}"}, **fields})
        changed = {name: value for name, value in fields.items() if value is not None}
        assert answered(reply, "updateRole")["role"] == {"name": f"role{at}", **old, **changed}


async def test_a_built_in_role_keeps_its_name_and_stays(api: Api, make: Make, database: db.Database) -> None:
    root = await make.admin()

    async with unchanged(database):
        renamed = [await api(UPDATE, as_=root, input={"role": {"name": name}, "name": "new"}) for name in BUILT_IN]
        spelled = [await api(UPDATE, as_=root, input={"role": {"name": n}, "name": n.upper()}) for n in BUILT_IN]
        deleted = [await api(DELETE, as_=root, input={"role": {"name": name.upper()}}) for name in BUILT_IN]

    assert [problems(reply) for reply in [*renamed, *spelled]] == [{"PROTECTED input.name"}] * 6
    assert [problems(reply) for reply in deleted] == [{"PROTECTED input.role"}] * 3


async def test_admin_and_deactivated_mean_what_they_mean(api: Api, make: Make, database: db.Database) -> None:
    root = await make.admin()
    cases = [("admin", []), ("admin", ["AUDIT_VIEW"]), ("deactivated", ["AUDIT_VIEW"])]

    async with unchanged(database):
        replies = [
            await api(UPDATE, as_=root, input={"role": {"name": name}, "permissions": permissions})
            for name, permissions in cases
        ]

    assert [problems(reply) for reply in replies] == [{"PROTECTED input.permissions"}] * 3


async def test_a_built_in_role_gets_a_new_description(api: Api, make: Make) -> None:
    root = await make.admin()

    replies = [await api(UPDATE, as_=root, input={"role": {"name": name}, "description": "mine"}) for name in BUILT_IN]

    assert [answered(reply, "updateRole")["role"]["description"] for reply in replies] == ["mine"] * 3


async def test_what_every_user_may_is_changed_with_the_role_user(api: Api, make: Make) -> None:
    root, ann = await make.admin(), await make.user("ann", "user")

    reply = await api(UPDATE, as_=root, input={"role": {"name": "user"}, "permissions": ["AUDIT_VIEW"]})

    assert problems(reply) == set()
    reply = await api("{ viewer { permissions } }", as_=ann)
    assert reply["data"]["viewer"]["permissions"] == ["AUDIT_VIEW"]


async def test_a_role_that_somebody_holds_is_not_deleted(api: Api, make: Make, database: db.Database) -> None:
    root = await make.admin()
    await make.role("editor")
    ann = await make.user("ann", "editor")

    async with unchanged(database):
        refused = await api(DELETE, as_=root, input={"role": {"name": "editor"}})
    await api(ASSIGN, as_=root, input={"user": {"id": ann.node}, "roles": []})
    free = await api(DELETE, as_=root, input={"role": {"name": "EDITOR"}})

    assert problems(refused) == {"CONFLICT input.role"}
    assert problems(free) == set()


async def test_a_role_is_assigned_or_deleted_but_not_both_at_the_same_moment(
    api: Api, make: Make, database: db.Database
) -> None:
    root, ann = await make.admin(), await make.user("ann")
    key = await make.role("editor")

    assigned, deleted = await asyncio.gather(
        api(ASSIGN, as_=root, input={"user": {"id": ann.node}, "roles": ["editor"]}),
        api(DELETE, as_=root, input={"role": {"id": refs.encode("Role", key)}}),
    )

    assert sorted([bool(codes(assigned)), bool(codes(deleted))]) == [False, True]
    assert await rows_of(database, tables.UserRole) == (1 if codes(assigned) else 2)


async def test_a_manager_of_roles_creates_no_role_with_more_permissions_than_theirs(
    api: Api, make: Make, database: db.Database
) -> None:
    clerk = await make.holder(Permission.ROLES_MANAGE | Permission.AUDIT_VIEW)
    more = ["AUDIT_VIEW", "ORGS_MANAGE"]

    async with unchanged(database):
        reply = await api(CREATE, as_=clerk, input={"name": "mine", "permissions": more})

    assert codes(reply) == ["FORBIDDEN"]
    fewer = await api(CREATE, as_=clerk, input={"name": "mine", "permissions": more[:1]})
    assert problems(fewer) == set()


async def test_a_manager_of_roles_changes_no_role_with_more_permissions_than_theirs(
    api: Api, make: Make, database: db.Database
) -> None:
    await make.role("strong", Permission.ORGS_MANAGE)
    clerk, strong = await make.holder(Permission.ROLES_MANAGE), {"role": {"name": "strong"}}
    cases: list[dict[str, Any]] = [{}, {"permissions": ["ORGS_MANAGE"]}, {"permissions": []}, {"name": "mine"}]

    async with unchanged(database):
        replies = [await api(UPDATE, as_=clerk, input=strong | fields) for fields in cases]
        replies.append(await api(DELETE, as_=clerk, input=strong))

    assert [codes(reply) for reply in replies] == [["FORBIDDEN"]] * 5


async def test_a_manager_of_roles_does_not_widen_their_own(api: Api, make: Make, database: db.Database) -> None:
    await make.role("mine", Permission.ROLES_MANAGE)
    clerk = await make.user("clerk", "mine")
    wider = ["ROLES_MANAGE", "USERS_MANAGE"]

    async with unchanged(database):
        reply = await api(UPDATE, as_=clerk, input={"role": {"name": "mine"}, "permissions": wider})

    assert codes(reply) == ["FORBIDDEN"]


async def test_a_changed_role_holds_on_the_next_request(api: Api, make: Make) -> None:
    root = await make.admin()
    await make.role("watch", Permission.USERS_VIEW)
    ann = await make.user("ann", "watch")
    query = "{ users { totalCount } }"

    assert (await api(query, as_=ann))["data"]["users"]["totalCount"] == 2
    answered(await api(UPDATE, as_=root, input={"role": {"name": "watch"}, "permissions": []}), "updateRole")
    assert (await api(query, as_=ann))["data"]["users"]["totalCount"] == 1
