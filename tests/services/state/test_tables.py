"""Tables as CSV: what is written reads back, no cell is a formula, and each fault names its line."""

import csv
import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import db
from app.services.state import applying, tables
from app.services.state.changes import Change
from app.services.state.model import Doc, Kind, Location, Reader, State
from app.services.state.planning import DEFAULTS, compare
from tests.oracle.generated import generated
from tests.services.state.documents import BASE, applied, events, silent
from tests.support.changes import unchanged

NOW = datetime(2026, 6, 1, tzinfo=UTC)
BOM = b"\xef\xbb\xbf"
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
CELLS = TEXTS | st.sampled_from(
    ["=1+1", "+1", "-1", "@x", "'=1", "''+1", "'", "\t=1", "\r\n=1", 'a"b', "a;=1", "\uff1d1", " a "]
)
NAMES = CELLS.map(lambda text: text.strip(" ")).filter(bool)


def written(name: str, kind: str, objects: list[Doc], *, with_hashes: bool = True) -> str:
    """Return a table."""
    file = io.StringIO()
    tables.TableWriter(file, name, with_hashes=with_hashes).write(kind, objects)
    return file.getvalue()


def read(name: str, data: bytes | str) -> Reader:
    """Read a table."""
    reader = Reader()
    tables.read(reader, io.BytesIO(data.encode() if isinstance(data, str) else data), name)
    return reader


def values(name: str, data: bytes | str) -> list[Doc]:
    """Return the values of the items of a table without faults."""
    reader = read(name, data)
    assert [*map(str, reader.faults)] == []
    return [item.values for item in reader.state.items.values()]


@generated(60)
@given(name=NAMES, title=CELLS.filter(bool) | st.none(), roles=st.lists(NAMES, max_size=3), key=CELLS, value=CELLS)
def test_any_user_reads_back_and_no_cell_is_a_formula(
    name: str, title: str | None, roles: list[str], key: str, value: str
) -> None:
    user: Doc = {"userName": name, "displayName": title, "email": None, "isServiceAccount": False}
    user |= {"roles": roles, "metadata": {key: value, "n": 1.5}}

    text = written("users", "user", [user])

    assert values("users", text) == [user]
    assert values("users", BOM + text.encode()) == [user]
    for row in csv.reader(io.StringIO(text, newline=""), strict=True):
        assert not [cell for cell in row if cell[:1] in {*"=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"} - {""}]


def test_members_are_rows_of_their_own() -> None:
    members: list[Doc] = [{"user": "ann", "level": "ADMIN", "expiresAt": "2199-01-01T00:00:00Z"}]
    members += [{"user": "bob", "level": "READ_ONLY"}]
    text = written("orgMembers", "org", [{"slug": "reef", "members": members}, {"slug": "sea", "members": []}])

    assert text.split("\r\n") == [
        "org,user,level,expiresAt",
        "reef,ann,ADMIN,2199-01-01T00:00:00Z",
        "reef,bob,READ_ONLY,",
        "",
    ]
    items = read("orgMembers", text).state.items
    assert [*items] == [(Kind.ORG_MEMBER, ("reef", "ann")), (Kind.ORG_MEMBER, ("reef", "bob"))]


def test_an_empty_cell_is_the_empty_value_and_an_absent_column_says_nothing() -> None:
    text = "userName,email,roles,isServiceAccount,metadata,passwordHash\nann,,,,,\n"
    empty: dict[str, Any] = {"email": None, "isServiceAccount": False, "metadata": {}}

    assert values("users", text) == [{"userName": "ann", **empty}], "an empty cell would take `deactivated` away"
    assert values("users", "userName,roles\nann, \nbob,;\n") == [
        {"userName": "ann"},
        {"userName": "bob", "roles": []},
    ]
    assert values("users", "userName\r\nann\r\n\r\n") == [{"userName": "ann"}]
    assert values("groups", "slug,description\ndivers,\n") == [{"slug": "divers", "description": ""}]


def test_several_values_of_a_cell_are_separated_by_a_semicolon() -> None:
    cell = r"user; a\;b ;c\\d;DOMAIN\Staff;\;e\\"
    assert values("users", f"userName,roles\nann,{cell};\n")[0]["roles"] == [
        "user",
        "a;b",
        r"c\d",
        r"DOMAIN\Staff",
        ";e\\",
    ]


def test_the_console_exports_the_table_that_the_server_writes() -> None:
    table = (Path(__file__).parents[3] / "app/console/tests/users.csv").read_bytes().decode()
    bob: Doc = {"userName": "bob", "displayName": '=Bob, "the fish"', "email": "bob@example.com"}
    bob["metadata"] = {"department": "=1+1", "maxStorageMB": 10, "tags": ["a", "b"], "none": None}
    ada: Doc = {"userName": "6644", "displayName": "עדה Łőrinc", "metadata": {"\n; ": "'"}, "roles": ["data steward"]}
    dora: Doc = {"userName": "dora", "displayName": "'=d", "roles": ["a;b", r"c\d", "e\\"]}
    empty: Doc = {"displayName": None, "email": None, "isServiceAccount": False, "metadata": {}}
    users = [bob | {"roles": ["user", "deactivated"]}, ada, dora, {"userName": "emil", "roles": []}]
    users = [empty | user for user in users]

    assert written("users", "user", users, with_hashes=False) == table
    assert values("users", table) == users


def test_spreadsheets_write_truth_and_numbers_in_their_ways() -> None:
    text = " slug ,isPublic,quotaBytes\r\nreef,TRUE,1024\r\n,,\r\n"
    assert values("orgs", text) == [{"slug": "reef", "isPublic": True, "quotaBytes": 1024}]


FAULTS: dict[str, tuple[str | bytes, str]] = {
    "a column with another letter case": (
        "username\nann\n",
        "line 1: users: There is no column `username` in users. Did you mean `userName`?",
    ),
    "an unknown column": (
        "userName,shoe size\nann,4\n",
        "line 1: users: There is no column `shoe size` in users. The columns are userName, displayName,",
    ),
    "a column twice": ("userName,userName\nann,ann\n", "line 1: users: The column `userName` is listed twice."),
    "no name": ("email\na@b.example\n", "line 1: users: The column `userName` is missing."),
    "semicolons": ("userName;email\nann;x\n", "line 1: users: The columns are separated by `;`."),
    "tabs": ("userName\temail\nann\tx\n", "line 1: users: The columns are separated by tabs."),
    "nothing": ("", "The table is empty."),
    "bytes": (b"userName,displayName\nann,x\nbob,\xe9\n", "line 3: This is not UTF-8."),
    "a spreadsheet's UTF-16": ("userName\n".encode("utf-16"), "line 1: This is not UTF-8."),
    "a quote that never ends": ('userName\nann\n"bob\n', "line 3: This is not CSV: "),
    "a text after a quote": ('userName\n"ann"x\n', "line 2: This is not CSV: "),
    "a cell too few": ('userName,displayName\nann,"x\ny"\nbob\n', "line 4: users[1]: This row has 1 cells, and the"),
    "a cell too many": ("userName\nann,x\n", "line 2: users[0]: This row has 2 cells, and the header has 1 columns."),
    "no flag": ("userName,isServiceAccount\nann,maybe\n", "line 2: users[0].isServiceAccount: This must be true"),
    "no JSON": ("userName,metadata\nann,x\n", "line 2: users[0].metadata: This must be a JSON object, or empty: "),
    "no object": ("userName,metadata\nann,[1]\n", "line 2: users[0].metadata: This must be an object."),
    "a name twice": ("userName\nann\n\nANN\n", "line 4: users[1]: This is listed already, at users[0]."),
    "a NUL": ("userName\na\0b\n", "line 2: users[0].userName: This must not contain NUL."),
    "a cell without end": ("userName\n" + "x" * 1_000_001, "line 2: This is not CSV: field larger than field limit"),
}


@pytest.mark.parametrize("case", FAULTS)
def test_a_fault_names_its_line(case: str) -> None:
    data, text = FAULTS[case]
    assert str(read("users", data).faults[0]).startswith(text)


@pytest.mark.parametrize(
    ("row", "text"),
    [
        ("reef,ann,BOSS,", "line 2: orgMembers[0].level: This must be one of READ_ONLY, "),
        ("reef,ann,ADMIN,tomorrow", "line 2: orgMembers[0].expiresAt: This must be a time with its zone"),
    ],
)
def test_a_wrong_value_of_a_membership_names_its_line(row: str, text: str) -> None:
    assert str(read("orgMembers", f"org,user,level,expiresAt\n{row}\n").faults[0]).startswith(text)


async def test_a_table_is_applied_like_a_document_and_prunes_only_its_own_kind(own_db: db.Database) -> None:
    await applied(own_db, BASE)
    rows = "group,user,isManager\ndivers,ann,TRUE\n"

    async def plan(text: str, *, prune: bool = False) -> Any:
        return await applying.plan(own_db, read("groupMembers", text).state, silent, prune=prune)

    assert (await applying.apply(own_db, await plan(rows), silent)).changes == 1
    assert len(await events(own_db)) == 2
    async with unchanged(own_db):
        assert (await plan(rows)).changes == []

    pruned = await plan(rows, prune=True)
    assert [(change.key, change.after) for change in pruned.changes] == [(("divers", "bob"), None)]
    missing = await plan("group,user\ndancers,ann\ndivers,nemo\n")
    assert [*map(str, missing.faults)] == [
        "line 2: groupMembers[0].group: There is no group `dancers`, neither in the registry nor in the document.",
        "line 3: groupMembers[1].user: There is no user `nemo`, neither in the registry nor in the document.",
    ]


FULL: dict[str, tuple[str, Doc]] = {
    "users": (
        "user",
        {
            "userName": "ann",
            "displayName": "Ann",
            "email": "ann@example.org",
            "isServiceAccount": False,
            "roles": ["user", "deactivated"],
            "metadata": {"a": 1},
        },
    ),
    "orgs": (
        "org",
        {"slug": "reef", "name": "Reef", "description": "R", "isPublic": True, "owner": "ann", "quotaBytes": 7},
    ),
    "orgMembers": ("org", {"user": "bob", "level": "ADMIN", "expiresAt": "2199-01-01T00:00:00Z"}),
    "groups": (
        "group",
        {"slug": "divers", "displayName": "Divers", "description": "D", "membersSeenBy": "SIGNED_IN"},
    ),
    "groupMembers": ("group", {"user": "bob", "isManager": True, "expiresAt": "2199-01-01T00:00:00Z"}),
}
"""An object with a value in each field, none of which is the default."""


def _registry(end: str) -> State:
    """Return a registry with the objects of FULL, in which memberships end."""
    reader = Reader()
    for name, (kind, value) in FULL.items():
        if not name.endswith("Members"):
            part = FULL.get(f"{kind}Members")
            members = {} if part is None else {"members": [{**part[1], "expiresAt": end}]}
            reader.add(kind, {**value, **members}, Location(""))
    reader.add("user", {**FULL["users"][1], "userName": "bob", "email": None}, Location(""))
    assert reader.faults == []
    return reader.state


@pytest.mark.parametrize(
    ("name", "absent"),
    [
        (name, column)
        for name, table in tables.TABLES.items()
        for column in table.columns
        if column not in {"userName", "slug", "org", "group", "user", "level", "passwordHash"}
    ],
)
def test_an_absent_column_leaves_the_field_of_what_is_there_and_is_the_default_of_what_is_new(
    name: str, absent: str
) -> None:
    kind, value = FULL[name]
    row = value if "user" not in value else {kind: "reef" if kind == "org" else "divers", **value}
    file = io.StringIO()
    columns = [column for column in row if column != absent]
    csv.writer(file).writerows([columns, [written_cell(row[column]) for column in columns]])
    document = read(name, file.getvalue()).state
    (item,) = document.items.values()

    def change(end: str) -> Change | None:
        plan = compare(document, _registry(end), prune=False, now=NOW)
        return next(iter(plan.changes), None)

    assert absent not in item.values
    assert change("2199-01-01T00:00:00Z") is None
    if "user" not in value:
        return
    renewed = change("2001-01-01T00:00:00Z")
    assert renewed is not None
    assert renewed.after is not None
    assert renewed.after[absent] == DEFAULTS[item.kind][absent], "one that has ended is none"


def written_cell(value: Any) -> str:
    """Return the cell of a value."""
    if isinstance(value, list):
        return ";".join(value)
    return str(value).lower() if isinstance(value, bool) else str(value).replace("'", '"')


def test_pruning_ends_memberships_of_those_who_are_named_and_nothing_for_a_header_alone() -> None:
    current, rows = _registry("2199-01-01T00:00:00Z"), "group,user\ndivers,ann\n"

    def removed(name: str, text: str) -> list[tuple[str, ...]]:
        plan = compare(read(name, text).state, current, prune=True, now=NOW)
        return [change.key for change in plan.changes if change.after is None]

    assert removed("groupMembers", rows) == [("divers", "bob")]
    assert removed("groupMembers", rows.replace("divers", "crew")) == []
    for name, table in tables.TABLES.items():
        assert removed(name, ",".join(table.columns) + "\n") == []


@pytest.mark.parametrize(
    ("name", "table"),
    [("users.csv", "users"), ("2026-06-GroupMembers.CSV", "groupMembers"), ("staff.csv", None), ("users.yaml", None)],
)
def test_the_name_of_a_file_says_its_table(name: str, table: str | None) -> None:
    assert tables.table_of(Path(name)) == table
