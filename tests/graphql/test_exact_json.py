"""Claims about JSON documents: what parsing would change is refused with its path, in GraphQL and in REST."""

import json
import re
from random import Random
from typing import Any

import httpx
import orjson
import pytest
from sqlalchemy import select

from app import db
from app.db.tables import User, col
from app.domain.errors import BadRequest
from app.graphql.http.request import from_body
from app.http.exact_json import find_problems, has_members, is_unchanged
from tests.support.changes import change, unchanged
from tests.support.client import Api, codes
from tests.support.factories import Make, Person
from tests.support.fetching import fetch

SET = change("setUserMetadata")
CHANGED = [
    ('{"a": 18446744073709551616}', "a"),
    ('{"a": [1, {"b": -9223372036854775809}]}', "a[1].b"),
    ('{"a": 0.1234567890123456789}', "a"),
    ('{"a": 9007199254740993.0}', "a"),
    ('{"a": 1e-400}', "a"),
    ('{"a": 1, "a": 1}', "a"),
    ('{"a": {"b": 1, "c": 2, "b": 3}}', "a.b"),
]
KEPT = ["18446744073709551615", "-9223372036854775808", "0.1", "0.10000000000000001", "1E5", "1.50", "1e300", "-0.0"]


@pytest.fixture
async def root(make: Make) -> Person:
    await make.user("ann")
    return await make.admin()


async def _send(api: Api, root: Person, metadata: str) -> httpx.Response:
    variables = f'{{"input": {{"user": {{"userName": "ann"}}, "metadata": {metadata}}}}}'
    body = f'{{"query": {json.dumps(SET)}, "variables": {variables}}}'
    headers = {**api.headers(root), "content-type": "application/json"}
    return await api.client.post("/graphql", content=body, headers=headers)


async def _send_rest(api: Api, root: Person, metadata: str) -> httpx.Response:
    headers = {**api.headers(root), "content-type": "application/json"}
    return await api.client.post("/users/ann/meta", content=metadata, headers=headers)


@pytest.mark.parametrize(("metadata", "path"), CHANGED)
async def test_what_parsing_would_change_is_refused(
    api: Api, root: Person, database: db.Database, metadata: str, path: str
) -> None:
    async with unchanged(database):
        (error,) = (await _send(api, root, metadata)).json()["errors"]
        response = await _send_rest(api, root, metadata)
    parts = path.replace("[", ".").replace("]", "").split(".")
    assert error["message"].startswith(f"Variable `$input`: `metadata.{path}` is ")
    assert error["extensions"] == {"code": "BAD_USER_INPUT", "variable": "input", "path": ["metadata", *parts]}
    assert (response.status_code, f"`{path}` is " in response.json()["error"]) == (400, True)


@pytest.mark.parametrize("number", KEPT)
async def test_other_numbers_are_stored_as_they_are(api: Api, root: Person, database: db.Database, number: str) -> None:
    for send in (_send, _send_rest):
        assert (await send(api, root, f'{{"a": {number}}}')).is_success
        rows = await fetch(database, select(col(User.details)).where(col(User.user_key) == "ann"))
        assert rows[0][0] == {"a": json.loads(number)}


@pytest.mark.parametrize("number", ["0.1234567890123456789", "1e999", "[{b: 9007199254740993.0}]"])
async def test_a_literal_is_refused_too(api: Api, root: Person, database: db.Database, number: str) -> None:
    given = f'user: {{userName: "ann"}}, metadata: {{a: {number}}}'
    async with unchanged(database):
        reply = await api(f"mutation {{ setUserMetadata(input: {{{given}}}) {{ errors {{ code }} }} }}", root)
    assert codes(reply) == ["GRAPHQL_VALIDATION_FAILED"]
    assert reply["errors"][0]["extensions"]["path"] == ["metadata"]


LISTED = """query ($n: Int, $by: UserBy = {id: "x"}, $f: UserFilter) {
  users(first: $n, filter: $f) { totalCount }
  user(by: $by) { id }
}"""
REPEATED = [
    ('{"n": 1, "n": 2}', "n", []),
    ('{"n": 1, "\\u006e": 2}', "n", []),
    ('{"by": {"userName": "ann", "userName": "root"}}', "by", ["userName"]),
    ('{"by": {"id": "x"}, "f": {"and": [{"userName": {"eq": "a", "eq": "b"}}]}}', "f", ["and", "0", "userName", "eq"]),
]
"""Variables with a name that occurs twice, and where."""


@pytest.mark.parametrize(("variables", "variable", "path"), REPEATED)
@pytest.mark.parametrize("method", ["POST", "GET"])
async def test_a_name_that_an_object_repeats_is_refused(
    api: Api, root: Person, method: str, variables: str, variable: str, path: list[str]
) -> None:
    headers = {**api.headers(root), "content-type": "application/json"}
    if method == "GET":
        response = await api.client.get("/graphql", params={"query": LISTED, "variables": variables}, headers=headers)
    else:
        body = f'{{"query": {json.dumps(LISTED)}, "variables": {variables}}}'
        response = await api.client.post("/graphql", content=body, headers=headers)
    (error,) = response.json()["errors"]
    assert error["extensions"] == {"code": "BAD_USER_INPUT", "variable": variable, "path": path}


@pytest.mark.parametrize("name", ['"query"', '"que\\u0072y"'])
async def test_a_parameter_that_the_body_repeats_is_refused(api: Api, root: Person, name: str) -> None:
    headers = {**api.headers(root), "content-type": "application/json"}
    body = f'{{"query": "{{ viewer {{ __typename }} }}", {name}: "{{ __typename }}"}}'
    response = await api.client.post("/graphql", content=body, headers=headers)
    assert (response.status_code, codes(response.json())) == (400, ["BAD_REQUEST"])


def _value(random: Random, depth: int = 0) -> Any:
    leaf = random.choice(
        [
            random.randrange(-(2**63), 2**64),
            random.uniform(-1, 1) * 10 ** random.randrange(-300, 300),
            random.random(),
            random.choice([None, True, False, "text"]),
        ]
    )
    if depth == 3 or random.random() < 0.5:
        return leaf
    values = [_value(random, depth + 1) for _ in range(3)]
    return values if random.random() < 0.5 else {f"k{number}": value for number, value in enumerate(values)}


def test_what_encoders_write_has_no_problems() -> None:
    random = Random(16)
    for _ in range(300):
        value = _value(random)
        for text in (orjson.dumps(value), json.dumps(value).encode()):
            assert [*find_problems(text)] == []


SEEN_AT_ONCE = [
    '{"query": "{ a(x: 1) { b: c } }", "variables": {"input": {"a": "10:30", "b": [{"c": 18446744073709551615}]}}}',
    '{"variables": {"a": {"b": {}}, "c": null, "d": true}}',
]
LEFT_TO_THE_FULL_CHECK = ['{"a": 0.5}', '{"a:b": 1}', '{"a": "\\u00e9"}', '{"a": 18446744073709551616}']


@pytest.mark.parametrize("text", SEEN_AT_ONCE)
def test_a_usual_body_needs_no_full_check(text: str) -> None:
    assert is_unchanged(text.encode(), orjson.loads(text))


@pytest.mark.parametrize("text", [*LEFT_TO_THE_FULL_CHECK, *(text for text, _ in CHANGED)])
def test_a_body_with_doubts_gets_the_full_check(text: str) -> None:
    assert not is_unchanged(text.encode(), orjson.loads(text))


def _plain(random: Random, depth: int = 0) -> Any:
    if depth == 3 or (depth and random.random() < 0.3):
        return random.choice(["a:b", "text", 1, None, True, {}, []])
    values = [_plain(random, depth + 1) for _ in range(3)]
    return values if random.random() < 0.3 else {f"k{number}": value for number, value in enumerate(values)}


def test_the_quick_check_sees_every_repeated_name() -> None:
    """An object gets a second member of a name that it has, at any depth and with any value."""
    random, repeated = Random(14), 0
    for _ in range(300):
        text = json.dumps(_plain(random))
        assert is_unchanged(text.encode(), orjson.loads(text))
        for match in re.finditer(r'"k\d": ', text):
            value = json.dumps(random.choice(["a:b", 1, {"c": []}, {}]))
            twice = f"{text[: match.start()]}{match[0]}{value}, {text[match.start() :]}"
            assert not is_unchanged(twice.encode(), orjson.loads(twice))
            assert orjson.dumps(orjson.loads(twice)) != re.sub(r"([:,]) ", r"\1", twice).encode()
            repeated += 1
    assert repeated > 1000


FLAT = [
    '{"query": "{ a(x: 1) { b: c } }"}',
    '{"query": "{ a }", "variables": {"ids": ["a", "b"], "n": null}}',
    '{"query": "{ a }", "variables": {"n": {"m": 1}}}',
    '{"query": "{ a }", "variables": {"n": "12:00"}}',
    '{"query":"{ a }","variables":{"n":[{"m:n":0.5},{"m:n":"\\\\u0041"}]}}',
]
NOT_KNOWN = [
    '{"query": "{ a }", "query": "{ a }"}',
    '{"query": "{ a: b }", "query": "{ a }"}',
    '{"query": "{ a }", "variables": {"n": 1, "n": 2}}',
    '{"query": "{ a }", "variables": {"n": 1}, "variables": {"n": 1}}',
    '{"query":"{ a }","variables":{"n":{"m":1,"m":1}}}',
    '{"query":"{ a }","query":"{ a }"}',
    '{"query": "{ a\\u003a b }", "variables": {"n": 1, "n": 2}}',
    '{"query": "{ a\\u003a b }", "query": "{ a\\u003a b }"}',
    '{"query": null}',
    "[]",
]
"""Bodies that repeat a name, or that the quick check does not tell from those."""


@pytest.mark.parametrize(
    ("body", "is_flat"), [*((each, True) for each in FLAT), *((each, False) for each in NOT_KNOWN)]
)
def test_the_quick_check_only_knows_bodies_without_repeated_names(body: str, is_flat: bool) -> None:
    try:
        sent = from_body(body.encode()).body
        assert sent is not None
        assert sent.is_flat is is_flat
    except BadRequest:
        assert not is_flat


def _members(value: Any) -> int:
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return (len(value) if isinstance(value, dict) else 0) + sum(map(_members, parts))


def test_a_repeated_name_is_one_member_too_many() -> None:
    random = Random(17)
    for _ in range(300):
        value = {"first": _value(random), "query": "{ a(b: 1) }"}
        text = json.dumps(value)
        name = random.choice([*re.finditer(r'"(k\d|first|query)": ', text)])
        begin, first = name.start(), random.choice(["0", '":"', "{}"])
        repeated = f"{text[:begin]}{name[0]}{first}, {text[begin:]}"
        assert has_members(text.encode(), _members(value), 1)
        assert orjson.loads(repeated) == value
        assert not has_members(repeated.encode(), _members(value), 1)
