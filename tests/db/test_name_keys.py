"""Claims about names as keys: one name however it is spelled, and no name that passes for another."""

import random
import time
import unicodedata
from typing import Any, Literal

import pytest
from sqlalchemy import select

from app import db
from app.db import tables
from app.db.tables import casefold_key, col, sort_key
from app.security import passwords
from app.services import similar_names, validation
from tests.support.changes import answered, change, problems, unchanged
from tests.support.client import Api, codes
from tests.support.factories import Make, Person, rows_of
from tests.support.fetching import fetch
from tests.support.rest_client import Rest

FORMS: tuple[Literal["NFC", "NFD", "NFKC", "NFKD"], ...] = ("NFC", "NFD", "NFKC", "NFKD")
LATIN = ["a", "\u00e1", "a\u0301", "\uff41", "A", "\u00df", "ss", "\ufb01", "fi", "\u00e9", "e", "\u0130", "\u00f1"]
GREEK = ["\u03a3", "\u03c3", "\u03c2", "\u0390", "\u03b9\u0308\u0301", "\u03b4", "\u0394", "\u1f80", "\u03d0", "\u03b2"]
CYRILLIC = ["\u0439", "\u0438\u0306", "\u0419", "\u0434", "\u0436", "\u0451", "\u0435\u0308"]
MAX_SECONDS = 30
"""Far from the minutes that putting so many marks in order takes."""


def _generated(seed: int, number: int) -> list[tuple[str, str]]:
    """Pairs of short names that are often one name."""
    drawn = random.Random(seed)
    pairs = []
    for _ in range(number):
        pool = drawn.choice([LATIN, GREEK, CYRILLIC])
        first = "".join(drawn.choices(pool, k=drawn.randint(1, 2)))
        other = unicodedata.normalize(drawn.choice(FORMS), first)
        other = drawn.choice([other, other.casefold(), "".join(drawn.choices(pool, k=drawn.randint(1, 2)))])
        pairs.append((first, other))
    return pairs


@pytest.mark.parametrize("seed", range(20))
def test_a_key_is_its_own_key_and_one_for_all_spellings(seed: int) -> None:
    for first, _ in _generated(seed, 100):
        key = casefold_key(first)
        spelled = {unicodedata.normalize(form, text) for form in FORMS for text in (first, first.casefold(), key)}
        assert {casefold_key(each) for each in spelled} == {key}
        assert casefold_key(sort_key(first).split("\x1f")[-1]) == key
        assert (sort_key(first).split("\x1f")[-1] == key) or unicodedata.combining(key[-1])


def test_every_character_has_a_key_that_is_its_own_key() -> None:
    characters = [chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000]

    assert [each for each in characters if casefold_key(casefold_key(each)) != casefold_key(each)] == []


def test_a_text_of_combining_characters_takes_no_time() -> None:
    text, begun = "a" + "\u0301\u0323" * 250_000, time.thread_time()

    assert validation.normalize_key(text)
    assert sort_key(text)
    assert passwords.normalize(text) == text
    assert time.thread_time() - begun < MAX_SECONDS


def test_accented_letters_stand_beside_plain_ones() -> None:
    wanted = ["cafe", "Caf\u00e9", "cafeteria", "\u00c9tude", "eve", "zoo"]

    assert sorted(wanted, key=sort_key) == wanted
    assert sorted(wanted, key=casefold_key) != wanted, "as it was"


async def test_a_role_is_one_whatever_the_spelling_and_each_finds_its_own(api: Api, make: Make) -> None:
    root = await make.admin()
    outcomes = set()
    for at, pair in enumerate(_generated(7, 60)):
        first, other = (f"{each}{at}" for each in pair)
        if [*validation.role_name_problems(first), *validation.role_name_problems(other)]:
            continue
        replies = [await api(change("createRole"), as_=root, input={"name": name}) for name in (first, other)]
        is_one = casefold_key(first) == casefold_key(other)
        assert [codes(reply) for reply in replies] == [[], ["CONFLICT"] if is_one else []], (first, other)
        for name, finds in ((first, first), (other, first if is_one else other)):
            assert await _roles_found(api, root, name) == {finds}
        outcomes |= {is_one}
    assert outcomes == {True, False}


async def _roles_found(api: Api, as_: Person, name: str) -> set[str]:
    """The names of the roles that are found by all spellings of a name."""
    ask = "query ($name: String!) { role(by: {name: $name}) { name } }"
    replies = [await api(ask, as_=as_, name=unicodedata.normalize(form, name)) for form in FORMS]
    return {reply["data"]["role"]["name"] for reply in replies}


async def test_an_address_is_one_whatever_the_spelling_and_each_finds_its_own(
    api: Api, make: Make, database: db.Database
) -> None:
    root = await make.admin()
    ask = "query ($email: String!) { users(filter: {email: {eq: $email}}) { nodes { email } } }"
    created = 0
    for at, pair in enumerate(_generated(8, 40)):
        emails = [f"{each}{at}@example.com" for each in pair]
        if any([*validation.email_problems(email)] for email in emails):
            continue
        replies = [
            await api(change("createUser"), as_=root, input={"userName": f"u{at}x{number}", "email": email})
            for number, email in enumerate(emails)
        ]
        is_one = casefold_key(emails[0]) == casefold_key(emails[1])
        assert [codes(reply) for reply in replies] == [[], ["CONFLICT"] if is_one else []], emails
        for email in emails:
            reply = await api(ask, as_=root, email=unicodedata.normalize("NFD", email))
            assert reply["data"]["users"]["nodes"] == [{"email": emails[0] if is_one else email}]
        created += 1 if is_one else 2
    assert await rows_of(database, tables.User) == 1 + created > 20


async def test_one_request_does_not_name_one_user_or_role_twice(api: Api, make: Make, database: db.Database) -> None:
    root = await make.admin()
    await make.role("Caf\u00e9")
    twice = [{"userName": "ann", "email": "\u00e9@a.b"}, {"userName": "bea", "email": "e\u0301@a.b"}]
    metadata = {"roles": ["Cafe\u0301", "CAF\u00c9", "cafe", "Cafe"]}

    async with unchanged(database):
        reply = await api(change("createUsers"), as_=root, input={"users": twice})
        assert problems(reply) == {"CONFLICT input.users.1.email"}
    answered(await api(change("createUser"), as_=root, input={"userName": "ann", "metadata": metadata}), "createUser")
    listed = await api('{ user(by: {userName: "ann"}) { roles { name } } }', as_=root)
    assert [role["name"] for role in listed["data"]["user"]["roles"]] == ["Cafe", "Caf\u00e9"]


WRONG_ROLES = {
    "a dot": ".",
    "two dots": "..",
    "three dots": "...",
    "dots of another kind": "\u2024\u2024",
    "a wide dot": "\uff0e",
    "encoded dots": "%2e%2E",
    "encoded twice": "%252e%252e",
    "a slash": "a/b",
    "a wide slash": "a\uff0fb",
    "care of": "\u2105",
    "an encoded slash": "a%2Fb",
    "a backslash": "a\\b",
    "an encoded backslash": "a%5cb",
    "a space that folds to one": "\u00a8a",
    "nothing": "",
    "Cyrillic a": "\u0430dmin",
    "all Cyrillic": "\u0430\u0441\u0435",
    "all Cyrillic capitals": "\u0412\u041e\u0421\u041a",
    "Greek": "\u03bf\u03c1",
    "small capitals": "\u1d00\u1d05\u1d0d\u026a\u0274",
    "no dot on the i": "adm\u0131n",
    "a dash": "read\u2013only",
    "a fraction slash": "a\u2044b",
    "an Arabic digit": "user\u0661",
    "Latin and Cyrillic": "\u043a\u043e\u043c\u0430\u043d\u0434\u0430 reef",
    "Greek and Cyrillic": "\u03b4\u0434",
    "Cherokee": "\u13aa\u13b3\u13a9",
    "a zero width space": "ad\u200bmin",
    "a joiner": "ad\u034fmin",
    "a variation": "admin\ufe0f",
    "a filler": "admin\u3164",
    "a Khitan filler": "admin\U00016fe4",
    "a notehead without a head": "admin\U0001d159",
    "a consonant joiner": "admin\u2d7f",
    "right to left": "\u202enimda",
    "a control character": "ad\x07min",
}


@pytest.mark.parametrize("what", WRONG_ROLES)
async def test_a_role_that_passes_for_another_or_breaks_addresses_is_made_nowhere(
    api: Api, make: Make, database: db.Database, what: str
) -> None:
    root, ann = await make.admin(), await make.user("ann")
    await make.role("plain")
    name = WRONG_ROLES[what]
    by = {"user": {"id": ann.node}}

    async with unchanged(database):
        for mutation, fields in (
            ("createRole", {"name": name}),
            ("updateRole", {"role": {"name": "plain"}, "name": name}),
            ("setUserMetadata", {**by, "metadata": {"roles": [name]}}),
            ("createUser", {"userName": "bea", "metadata": {"roles": [name]}}),
            ("createUsers", {"users": [{"userName": "bea", "metadata": {"roles": [name]}}]}),
        ):
            assert codes(await api(change(mutation), as_=root, input=fields)) == ["INVALID_INPUT"], mutation


async def test_spaces_at_the_ends_of_a_role_are_removed_but_not_inside_metadata(api: Api, make: Make) -> None:
    root, ann = await make.admin(), await make.user("ann")
    assert codes(await api(change("createRole"), as_=root, input={"name": " pilots "})) == []

    metadata = {"user": {"id": ann.node}, "metadata": {"roles": [" pilots "]}}
    assert codes(await api(change("setUserMetadata"), as_=root, input=metadata)) == ["INVALID_INPUT"]
    assert codes(await api(change("createRole"), as_=root, input={"name": "pilots"})) == ["CONFLICT"]


RIGHT_ROLES = [
    *("pilots", "Pilots 2", "a.b", "..a", "100%", "50% off", "\u00c4rzte", "\u00fcber", "\u00bfqui\u00e9n?"),
    *("\u0430\u0434\u043c\u0438\u043d", "\u039a\u03b1\u03bb\u03b7\u03bc\u03ad\u03c1\u03b1", "l\u2019\u00e9quipe"),
    *("\u30c1\u30fc\u30e0A", "\u65e5\u672c\u8a9e", "\uad00\ub9ac\uc790", "\u05e9\u05dc\u05d5\u05dd"),
    *("\u0639\u0631\u0628\u064a", "\u0939\u093f\u0928\u094d\u0926\u0940", "\U0001f988 team", "\uff30ilots 3"),
]


@pytest.mark.parametrize("name", RIGHT_ROLES)
def test_a_role_may_be_named_in_any_language(name: str) -> None:
    assert [*validation.role_name_problems(name)] == []


WRONG_EMAILS = {
    "Cyrillic a": "\u0430nn@example.com",
    "all Cyrillic": "\u0430\u0441\u0435@example.com",
    "a Cyrillic host": "ann@\u0435xample.com",
    "a zero width space": "an\u200bn@example.com",
    "a joiner": "an\u034fn@example.com",
    "two at signs": "ann\uff20b@example.com",
    "a space that folds to one": "\u00a8ann@example.com",
    "no dot on the i": "m\u0131a@example.com",
}


@pytest.mark.parametrize("what", WRONG_EMAILS)
async def test_an_address_that_passes_for_another_is_stored_nowhere(
    api: Api, rest: Rest, make: Make, database: db.Database, what: str
) -> None:
    root, ann = await make.admin(), await make.user("ann")
    email = WRONG_EMAILS[what]

    async with unchanged(database):
        for mutation, fields in (
            ("createUser", {"userName": "bea", "email": email}),
            ("createUsers", {"users": [{"userName": "bea", "email": email}]}),
            ("updateUser", {"user": {"id": ann.node}, "email": email}),
        ):
            assert codes(await api(change(mutation), as_=root, input=fields)) == ["INVALID_INPUT"], mutation
        reply = await rest("PUT", "/users/ann", root, json={"email": email})
        assert reply.status_code == 400


@pytest.mark.parametrize(
    "email",
    [
        "ann@example.com",
        "\u0430\u043d\u043d\u0430@example.com",
        "\u0430\u0441\u0435@\u043f\u043e\u0447\u0442\u0430.\u0440\u0444",
        "j\u00f6rg@m\u00fcller.de",
        "\u5c71\u7530@example.jp",
    ],
)
def test_an_address_may_be_of_any_language(email: str) -> None:
    assert [*validation.email_problems(email)] == []


async def test_older_names_that_are_invalid_today_can_be_sent_used_and_deleted(
    api: Api, rest: Rest, make: Make
) -> None:
    root, odd, email = await make.admin(), "\u0430dmin", "\u0430nn@example.com"
    key = await make.role(odd)
    ann = await make.user("ann", email=email)

    for mutation, fields in (
        ("updateRole", {"role": {"name": odd}, "description": "Older."}),
        ("updateRole", {"role": {"name": odd}, "name": odd}),
        ("updateUser", {"user": {"id": ann.node}, "email": email, "roles": [odd]}),
        ("setUserMetadata", {"user": {"id": ann.node}, "metadata": {"roles": [odd]}}),
        ("assignRoles", {"user": {"id": ann.node}, "roles": []}),
        ("deleteRole", {"role": {"name": odd}}),
    ):
        assert codes(await api(change(mutation), as_=root, input=fields)) == [], mutation
    assert (await rest("PUT", "/users/ann", root, json={"email": email})).status_code == 200
    assert key


LISTS = (
    ("OrgFilter", "orgs", "name"),
    ("GroupFilter", "groups", "displayName"),
    ("ResourceFilter", "resources", "name"),
)


async def test_searching_finds_either_spelling_and_equality_means_the_name(api: Api, make: Make) -> None:
    ann = await make.user("ann")
    for at, name in enumerate(("Cafe\u0301 au lait", "Cafe au lait", "Caf\u00e9teria", "Zoo")):
        org = await make.org(f"org{at}", ann, name=name)
        await make.group(f"group{at}", display_name=name)
        await make.resource(org, owner=ann, name=name)
    ask = "query ($filter: {}) {{ matches: {}(filter: $filter) {{ nodes {{ {} }} }} }}"

    async def matches(comparison: dict[str, str]) -> list[list[str]]:
        names = []
        for kind, many, field in LISTS:
            reply = await api(ask.format(kind, many, field), as_=ann, filter={field: comparison})
            names.append([node[field] for node in reply["data"]["matches"]["nodes"]])
        return names

    accented, plain, longer = "Cafe\u0301 au lait", "Cafe au lait", "Caf\u00e9teria"
    for spelled in ("caf\u00e9", "CAFE\u0301", "cafe"):
        assert await matches({"startsWith": spelled}) == [[plain, accented, longer]] * 3
    for spelled in ("\u00e9 AU", "e\u0301 au", "e au"):
        assert await matches({"contains": spelled}) == [[plain, accented]] * 3
    for spelled in ("Caf\u00e9 au lait", "cafe\u0301 au LAIT"):
        assert await matches({"eq": spelled}) == [[accented]] * 3
    assert await matches({"eq": "cafe AU lait"}) == [[plain]] * 3


async def test_a_password_opens_as_any_keyboard_spells_it_and_an_older_hash_is_renewed(
    rest: Rest, make: Make, database: db.Database
) -> None:
    composed, decomposed = "caf\u00e9 au lait!", "cafe\u0301 au lait!"
    older = str(passwords.ARGON2ID.hash(decomposed))
    await make.user("ann", password_hash=older)

    async def signs_in(password: str) -> int:
        sent = {"username": "ann", "password": password}
        return int((await rest("POST", "/users/authenticate", data=sent)).status_code)

    assert await signs_in(composed) == 401
    assert await signs_in(decomposed) == 200
    renewed = (await fetch(database, select(col(tables.User.password_hash))))[0][0]
    assert renewed != older
    assert await signs_in(composed) == await signs_in(decomposed) == 200
    assert (await fetch(database, select(col(tables.User.password_hash))))[0][0] == renewed


def test_the_table_of_look_alikes_maps_to_ascii_and_holds_each_once() -> None:
    entries = [(code, entry[0]) for entry in similar_names._TABLE.split() for code in entry[2:].split(",")]

    assert len({code for code, _ in entries}) == len(entries) > 200
    assert all(target.isascii() and not chr(int(code, 16)).isascii() for code, target in entries)


async def test_lookups_by_rest_fold_alike(rest: Rest, api: Api, make: Make) -> None:
    root: Any = await make.admin()
    await make.user("ann")
    await make.role("Caf\u00e9")

    assert (await rest("GET", "/users/\uff41NN/orgs", root)).status_code == 200
    assert (await rest("DELETE", "/users/roles/Cafe\u0301", root)).status_code < 300


@pytest.mark.parametrize("password", ["password", "\uff50\uff41\uff53\uff53word", "pa\u017fsword"])
async def test_the_well_known_password_opens_from_elsewhere_in_no_spelling(
    rest: Rest, make: Make, password: str
) -> None:
    await make.user("ann", "admin", password_hash=passwords.hash_password("password"))

    sent = {"username": "ann", "password": password}
    assert passwords.normalize(password) == "password"
    assert (await rest("POST", "/users/authenticate", data=sent)).status_code == 401
