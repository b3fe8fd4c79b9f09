"""What a plan says, what is refused with its line and its path, and what is removed."""

import orjson
import pytest

from app import db
from app.services.state import wording
from app.services.state.files import Format
from tests.services.state.documents import BASE, applied, events, exported, faults, planned
from tests.support.changes import unchanged
from tests.support.factories import stale

REFUSED = {
    "a field that does not exist": ("    email: ann@", "    mail: ann@", "line 3: users[0]: There is no field `mail`."),
    "a wrong type": ("owner: ann\n    members", "owner: 7\n    members", "line 7: orgs[0].owner: This must be a text."),
    "a role that does not exist": (
        "roles: [DATASET_DATA_READ]",
        "roles: [ADMIN, READ]",
        "line 28: resources[0].grants.groups[0].roles[1]: There is no `READ`.",
    ),
    "an unknown group": (
        "{group: divers,",
        "{group: dancers,",
        "line 28: resources[0].grants.groups[0].group: There is no group `dancers`",
    ),
    "an unknown system role": (
        "  - userName: bob",
        "  - userName: bob\n    roles: [user, pilot]",
        "line 5: users[1].roles[1]: There is no role `pilot`",
    ),
    "a time without a zone": ("2199-01-01T00:00:00Z", "2199-01-01", "groups[0].expiresAt: This must be a time with"),
    "an object that is listed twice": (
        "  - userName: bob",
        "  - userName: bob\n  - userName: ANN",
        "line 6: users[2]: This is listed already, at users[0].",
    ),
    "a missing name": ("    name: Reef Lab\n", "", "line 7: orgs[0]: `name` is missing. A new org needs it."),
    "an owner as a member": (
        "user: bob, level",
        "user: ann, level",
        "line 11: orgs[0].members[0].user: This user owns",
    ),
    "a bad slug": ("slug: corals", "slug: Coral Reef", "resources[0].slug: A slug must be 2 to 128"),
    "an address of two users": (
        "  - userName: bob",
        "  - userName: bob\n    email: ANN@example.org",
        "email: The email address `ann@example.org` belongs to more than one user.",
    ),
    "a write role for anyone": (
        "      groups:\n",
        "      anyone: {roles: [METADATA_WRITE]}\n      groups:\n",
        "resources[0].grants.anyone.roles: Anyone, signed in or not, can have read roles only.",
    ),
    "no version": ("version: 1\n", "", "`version: 1` is missing."),
    "no YAML": ("metadata: {depth: 12}", "metadata: {depth: 12", "line 24: This is not YAML:"),
    "a name that is written twice": (
        "    name: Corals\n",
        "    name: Corals\n    name: Reef\n",
        "`name` is listed twice.",
    ),
    "a section that does not exist": ("groups:\n  -", "teams:\n  -", "teams: There is no section `teams`."),
}


ANN = "- userName: ann\n    metadata: {depth: "


@pytest.mark.parametrize("case", REFUSED)
async def test_a_fault_is_named_with_its_place_and_changes_nothing(own_db: db.Database, case: str) -> None:
    old, new, expected = REFUSED[case]
    assert old in BASE

    async with unchanged(own_db):
        found = await faults(own_db, BASE.replace(old, new, 1))

    assert any(expected in fault for fault in found), found


@pytest.mark.parametrize("metadata", [f"{'[' * 280}{']' * 280}", str(2**70)])
async def test_metadata_that_are_no_json_are_a_fault_for_an_object_that_is_there(
    own_db: db.Database, metadata: str
) -> None:
    await applied(own_db, BASE)
    wrong = BASE.replace("{depth: 12}", f"{{depth: {metadata}}}").replace("- userName: ann", f"{ANN}{metadata}}}", 1)

    async with unchanged(own_db):
        refused = await faults(own_db, wrong)

    places = [place for place, text, _ in (fault.partition(": `metadata` must be JSON") for fault in refused) if text]
    assert places == ["line 3: users[0].metadata", "line 19: resources[0].metadata"]


async def test_a_fault_of_json_lines_has_its_line(own_db: db.Database) -> None:
    text = '{"kind": "registry", "version": 1}\n\n{"kind": "user", "userName": "ann", "roles": ["pilot"]}\n'

    assert [each.partition(":")[0] for each in await faults(own_db, text, Format.JSONL)] == ["line 3"]
    assert "users[0].roles[0]" in (await faults(own_db, text, Format.JSONL))[0]
    assert (await faults(own_db, "{}\n[", Format.JSONL))[-1].startswith("line 2: this is not JSON")


async def test_texts_that_other_parsers_read_as_something_else_stay_texts(own_db: db.Database) -> None:
    names = ["no", "1e5", "2027-01-01", "~", "", "\u2028 \U0001f600 \x85 \ufeff", 'a "quoted" \\ name', "0x1f", "1:30"]
    listed = {f"k{at}": name for at, name in enumerate(names)} | {"on": 1e20, "n": -1e-7, "big": 2**63 - 1}
    line = orjson.dumps({"kind": "user", "userName": "no", "metadata": listed}).decode()
    await applied(own_db, f'{{"kind": "registry", "version": 1}}\n{line}\n', Format.JSONL)

    document = await exported(own_db)

    assert '  - userName: "no"\n' in document
    async with unchanged(own_db):
        assert await applied(own_db, document) == 0


async def test_what_the_document_does_not_say_stays_and_is_counted(own_db: db.Database) -> None:
    await applied(own_db, BASE)
    less = "version: 1\nusers:\n  - userName: ann\ngroups:\n  - slug: divers\n    members: []\n"

    plan = await planned(own_db, less)

    assert plan.changes == []
    assert wording.left_in_words(plan) == (
        "7 resource types, 1 user, 1 org, 1 member of an org, 1 member of a group, 1 resource, 2 grants"
    )


async def test_pruning_removes_what_listed_sections_do_not_have(own_db: db.Database) -> None:
    await applied(own_db, BASE)
    less = "version: 1\nusers:\n  - userName: ann\ngroups:\n  - slug: divers\n"

    plan = await planned(own_db, less, prune=True)
    assert [*wording.access_lines(plan)] == [
        "user bob loses METADATA_READ, METADATA_WRITE, DATASET_DATA_READ, DATASET_DATA_WRITE, ADMIN on reef/corals",
        "user bob loses the roles of group divers",
        "user bob loses READ_ONLY in org reef",
        "user bob loses the system role user",
    ]


async def test_a_pruned_registry_is_the_document_and_the_index_is_right(own_db: db.Database) -> None:
    base = BASE.replace("users:\n", "users:\n  - {userName: root, roles: [admin]}\n", 1)
    await applied(own_db, base)
    whole = await exported(own_db)
    more = base.replace("  - userName: bob\n", "  - userName: bob\n  - userName: eve\n").replace(
        "  - slug: divers\n",
        "  - slug: pilots\n    displayName: Pilots\n    members: [{user: eve}]\n  - slug: divers\n",
    )
    more += "        - {user: eve, roles: [METADATA_READ]}\n  - {org: reef, slug: sand, type: MODEL, name: Sand}\n"
    more += "  - {org: reef, slug: silt, type: MODEL, name: Silt, grants: {general: {roles: []}}}\n"
    assert await applied(own_db, more) == 8
    assert await stale(own_db) == set()

    assert await applied(own_db, whole, prune=True) == 8

    assert await exported(own_db) == whole
    assert await stale(own_db) == set()
    assert {action for action, _, _ in await events(own_db)} == {"applyState"}


async def test_an_object_of_the_document_that_needs_a_removed_one_is_refused(own_db: db.Database) -> None:
    base = BASE.replace("users:\n", "users:\n  - {userName: root, roles: [admin]}\n", 1)
    await applied(own_db, base)
    found = await faults(own_db, base.replace("  - userName: bob\n", ""), prune=True)

    assert [fault.partition(": ")[2].partition(":")[0] for fault in found] == [
        "orgs[0].members[0]",
        "groups[0].members[0]",
        "resources[0].grants.users[0]",
    ]


async def test_a_locked_resource_keeps_its_values_until_it_is_unlocked(own_db: db.Database) -> None:
    await applied(own_db, BASE)
    renamed = BASE.replace("name: Corals", "name: Coral reefs")

    assert [fault.partition(": ")[2] for fault in await faults(own_db, renamed)] == [
        "resources[0]: The resource is locked. Unlock it first: `lock: null`."
    ]
    unlocked = renamed.replace('lock: {reason: "Under review."}', "lock: null")
    assert await applied(own_db, unlocked) == 2
    assert await applied(own_db, renamed.replace("    lock:", "    description: All\n    lock:")) == 2


async def test_the_last_administrator_stays(own_db: db.Database) -> None:
    await applied(own_db, "version: 1\nusers:\n  - {userName: root, roles: [admin]}\n")

    found = await faults(own_db, "version: 1\nusers:\n  - {userName: root, roles: [user]}\n")

    assert found == ["users: The registry would be left without an active administrator."]


async def test_two_users_exchange_their_addresses(own_db: db.Database) -> None:
    first = "version: 1\nusers:\n  - {userName: ann, email: a@b.example}\n  - {userName: bob, email: c@d.example}\n"
    await applied(own_db, first)

    second = first.replace("a@b", "x@y").replace("c@d", "a@b").replace("x@y", "c@d")
    assert await applied(own_db, second) == 2
    async with unchanged(own_db):
        assert await applied(own_db, second) == 0


async def test_the_plan_says_who_gains_and_who_loses(own_db: db.Database) -> None:
    await applied(own_db, BASE)
    changed = BASE.replace("level: READ_ONLY", "level: ADMIN").replace(
        "{user: bob, roles: [ADMIN]}", "{user: bob, roles: [METADATA_READ]}"
    )
    changed = changed.replace("  - userName: bob\n", "  - userName: bob\n    roles: [user, admin]\n")

    assert [*wording.lines(await planned(own_db, changed))] == [
        '  ~ user bob: roles ["user"] -> ["user","admin"]',
        '  ~ member bob of org reef: level "READ_ONLY" -> "ADMIN"',
        '  ~ grant on reef/corals to user bob: roles ["ADMIN"] -> ["METADATA_READ"]',
        "",
        "Access:",
        "  user bob gains the system role admin",
        "  user bob gains ADMIN in org reef",
        "  user bob loses READ_ONLY in org reef",
        "  user bob loses METADATA_WRITE, DATASET_DATA_READ, DATASET_DATA_WRITE, ADMIN on reef/corals",
    ]


REFUSED_REMOVALS = {
    "a locked resource": ("resources: []", "resources: The resource `reef/corals` is locked, so it"),
    "an org with a locked resource": ("orgs: []", "orgs: The org `reef` has locked resources, so it"),
    "the owner of a locked resource": (
        "users: [{userName: root}, {userName: bob}]\norgs: [{slug: reef, owner: bob, members: []}]",
        "users: The user `ann` owns what is locked, so it",
    ),
    "a role of a user who stays": ("roles: []", "roles: The role `pilot` is assigned to users who stay."),
    "the last administrator": (
        "users: [{userName: ann}, {userName: bob}]",
        "users: The registry would be left without an active administrator.",
    ),
    "everyone": ("users: []", "users: The registry would be left without an active administrator."),
}


@pytest.mark.parametrize("case", REFUSED_REMOVALS)
async def test_the_plan_foresees_that_a_removal_is_refused(own_db: db.Database, case: str) -> None:
    roles = "  - {userName: root, roles: [admin]}\n  - {userName: eve, roles: [pilot, admin, deactivated]}\n"
    await applied(own_db, BASE.replace("users:\n", f"roles: [{{name: pilot}}]\nusers:\n{roles}", 1))
    text, expected = REFUSED_REMOVALS[case]

    assert any(fault.startswith(expected) for fault in await faults(own_db, f"version: 1\n{text}\n", prune=True))


async def test_without_an_administrator_no_user_is_removed(own_db: db.Database) -> None:
    await applied(own_db, "version: 1\nusers: [{userName: ann}, {userName: bob}]\n")

    found = await faults(own_db, "version: 1\nusers: [{userName: ann}]\n", prune=True)

    assert found == ["users: The registry would be left without an active administrator."]


async def test_what_goes_with_a_removed_object_is_not_left_alone(own_db: db.Database) -> None:
    unlocked = BASE.replace('    lock: {reason: "Under review."}\n', "")
    await applied(own_db, unlocked.replace("users:\n", "users:\n  - {userName: root, roles: [admin]}\n", 1))
    text = "version: 1\nusers: [{userName: root}]\norgs: []\n"

    plan = await planned(own_db, text, prune=True)

    assert wording.left_in_words(plan) == "7 resource types, 1 group"
    assert await applied(own_db, text, prune=True) == len(plan.changes)
    assert wording.left_in_words(await planned(own_db, text, prune=True)) == "7 resource types, 1 group"


PAST = "2001-01-01T00:00:00Z"
ENDED = {
    "a membership that ends": (
        "level: READ_ONLY}",
        f'level: ADMIN, expiresAt: "{PAST}"}}',
        "loses READ_ONLY in org reef",
    ),
    "a manager who ends": ("isManager: true}", f'isManager: true, expiresAt: "{PAST}"}}', "loses the roles of group"),
    "a grant that ends": ("2199-01-01T00:00:00Z", PAST, "group divers loses METADATA_READ, DATASET_DATA_READ on"),
}


@pytest.mark.parametrize("case", ENDED)
async def test_an_end_in_the_past_gives_nothing(own_db: db.Database, case: str) -> None:
    old, new, expected = ENDED[case]
    ended = BASE.replace(old, new)
    assert ended != BASE
    assert not any(PAST in line for line in wording.access_lines(await planned(own_db, ended)))
    await applied(own_db, BASE)

    lines = [*wording.access_lines(await planned(own_db, ended))]
    await applied(own_db, ended)

    assert len(lines) == 1
    assert expected in lines[0]
    assert [line for line in wording.access_lines(await planned(own_db, BASE)) if " gains " not in line] == []


async def test_an_end_is_before_the_last_day_of_all(own_db: db.Database) -> None:
    document = BASE.replace("2199-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z")
    assert await faults(own_db, document) == [
        "line 28: resources[0].grants.groups[0].expiresAt: `expiresAt` must be before 9999-12-31. "
        "Leave it out for no end."
    ]
