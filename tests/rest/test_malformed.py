"""Claims about what no REST route understands: it is refused in a clear word, nothing is written, nothing crashes."""

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest

from app import db
from app.config import RequestLimits
from app.rest.parameters import TEXTS, Field, Kind
from app.rest.request_bodies import Body
from tests.oracle.rest_matrix import ROUTES, ROWS, Scene, scene
from tests.support.changes import unchanged
from tests.support.factories import Make, Person
from tests.support.rest_client import Rest
from tests.support.rest_toy import FORM, JSON, MALFORMED, MULTIPART, named, refusal

Key = tuple[str, str]

LIMIT = RequestLimits().body_bytes

TAKING = [key for key, route in ROUTES.items() if route.body]
WITH_FIELDS = [key for key in TAKING if ROUTES[key].fields]
WITH_FORM = [key for key in WITH_FIELDS if Body.FORM in ROUTES[key].body]


@pytest.fixture
def overrides() -> dict[str, Any]:
    """Every route does what it is for."""
    return {"OSTIARY_ENABLE_ORGANIZATION_MEMBER_MANAGEMENT": "true"}


class Hostile:
    """An administrator's calls, each of which must be refused; `failures` has those that are not, by name."""

    def __init__(self, rest: Rest, root: Person, scenes: dict[bool, Scene]) -> None:
        self._rest = rest
        self._root = root
        self._scenes = scenes
        self.failures: dict[str, str] = {}

    def scene(self, key: Key) -> Scene:
        """Return the objects that the path of a route names."""
        return self._scenes[ROWS[key].joined]

    def good(self, key: Key) -> dict[str, Any]:
        """A body that would be taken."""
        return ROWS[key].input(self.scene(key))

    async def __call__(self, key: Key, name: str, words: str = "", says: str = "", **sent: Any) -> None:
        """Ask with something wrong, also in the `words` of the path or its query, and expect a 400 that `says`."""
        path = words or key[1].format(**self.scene(key).words)
        reply = await self._rest(key[0], path, self._root, **sent)
        if not _is_refused(reply, says):
            self.failures[f"{key[0]} {key[1]}: {name}"] = f"{reply.status_code} {reply.text[:200]}"


def _is_refused(reply: httpx.Response, says: str) -> bool:
    return 400 <= reply.status_code < 500 and not refusal(reply)[1] and says in reply.json()["error"]


@pytest.fixture
async def hostile(
    rest: Rest, make: Make, database: db.Database, caplog: pytest.LogCaptureFixture
) -> AsyncIterator[Hostile]:
    root = await make.admin()
    scenes = {joined: await scene(make, int(joined), joined=joined) for joined in (False, True)}
    calls = Hostile(rest, root, scenes)
    async with unchanged(database):
        yield calls
        assert calls.failures == {}
    assert [record for record in caplog.records if record.exc_info] == []


async def test_a_body_that_is_malformed(hostile: Hostile) -> None:
    for key in TAKING:
        for name, (kind, body) in MALFORMED.items():
            await hostile(key, name, content=body, headers={"content-type": kind})


BODIES: dict[str, dict[str, Any]] = {
    "too large": {"content": b" " * (LIMIT + 1), "headers": {"content-type": JSON}},
    "a large form": {"content": b"a=" + b"x" * LIMIT, "headers": {"content-type": FORM}},
    "a large part": {"content": named([("a", "x" * LIMIT)]), "headers": {"content-type": MULTIPART}},
    "of no type": {"content": b"{}"},
    "of another type": {"content": b"{}", "headers": {"content-type": "text/json"}},
    "packed": {"content": b"{}", "headers": {"content-type": JSON, "content-encoding": "gzip"}},
    "a byte order mark": {"content": b"\xef\xbb\xbf{}", "headers": {"content-type": JSON}},
}


async def test_a_body_that_is_too_large_or_of_a_wrong_type(hostile: Hostile) -> None:
    for key in TAKING:
        for name, sent in BODIES.items():
            await hostile(key, name, **sent)


async def test_a_body_of_a_kind_that_the_route_does_not_take(hostile: Hostile) -> None:
    for key in TAKING:
        if Body.FORM not in ROUTES[key].body:
            await hostile(key, "a form", data={"a": "b"})
            await hostile(key, "multipart", files={"a": (None, "b")})


NO_TEXT = ["5", "1.5", "true", "[]", "{}", '["x"]', str(10**30), '{"a": {"b": []}}']
NO_TEXTS = ['"x"', "5", "true", "{}", "[1]", "[null]", '[["x"]]', str(10**30)]
NO_FLAG = ['"maybe"', '""', "5", "1.5", "[]", "{}", str(10**30)]
NO_CHOICE = ["-1", "99", "1.5", '"x"', '"1.0"', '" 1"', '"\N{SUPERSCRIPT TWO}"', '"\N{ARABIC-INDIC DIGIT TWO}"', "true"]
NO_CHOICE += ["[]", "{}", str(10**30), str(-(10**30))]


def _invalid_values(kind: Kind) -> list[str]:
    """Values in JSON that are none of this kind."""
    return {"string": NO_TEXT, "array": NO_TEXTS, "boolean": NO_FLAG}.get(kind.schema.get("type", ""), NO_CHOICE)


def _is_text(field: Field) -> bool:
    return field.kind.schema.get("type") == "string"


def _with(good: dict[str, Any], field: Field, value: str) -> bytes:
    """The body with this value, which is written in JSON already."""
    others = [f"{json.dumps(name)}: {json.dumps(content)}" for name, content in good.items() if name != field.name]
    return f"{{{', '.join([*others, f'{json.dumps(field.name)}: {value}'])}}}".encode()


async def test_a_field_of_a_wrong_type_is_named(hostile: Hostile) -> None:
    for key in WITH_FIELDS:
        for field in ROUTES[key].fields:
            for value in _invalid_values(field.kind):
                body = _with(hostile.good(key), field, value)
                headers = {"content-type": JSON}
                await hostile(key, f"{field.name} {value:.9}", says=f"`{field.name}` ", content=body, headers=headers)


async def test_a_number_beyond_any_measure(hostile: Hostile) -> None:
    for key in WITH_FIELDS:
        for field in ROUTES[key].fields:
            for value in ("1e999", "-1e999", "9" * 5_000):
                body = _with(hostile.good(key), field, value)
                await hostile(key, f"{field.name} {value:.9}", content=body, headers={"content-type": JSON})


async def test_a_field_that_must_be_there_is_named(hostile: Hostile) -> None:
    for key in WITH_FIELDS:
        for field in ROUTES[key].fields:
            if field.required:
                good = hostile.good(key)
                absent = {name: value for name, value in good.items() if name != field.name}
                for name, body in (
                    ("absent", absent),
                    ("null", good | {field.name: None}),
                    ("", good | {field.name: ""}),
                ):
                    await hostile(key, f"{field.name} {name}", says=f"`{field.name}` is missing.", json=body)


async def test_a_form_that_says_something_twice_or_nonsense(hostile: Hostile) -> None:
    for key in WITH_FORM:
        good = hostile.good(key)
        for field in ROUTES[key].fields:
            if field.kind is not TEXTS:
                twice = {**good, field.name: ["nonsense", "nonsense"]}
                await hostile(key, f"{field.name} twice", says=f"`{field.name}` ", data=twice)
            if not (_is_text(field) or field.kind is TEXTS):
                await hostile(key, field.name, says=f"`{field.name}` ", data={**good, field.name: "nonsense"})


async def test_a_text_that_nothing_holds(hostile: Hostile) -> None:
    for key in WITH_FIELDS:
        for field in ROUTES[key].fields:
            if (_is_text(field) or field.kind is TEXTS) and (key, field.name) not in SIGNING_IN:
                for text in ("\0", "a\0b", "x" * 100_000):
                    value = text if _is_text(field) else [text]
                    await hostile(key, f"{field.name} {text[:4]!r}", json=hostile.good(key) | {field.name: value})


LOGIN = ("POST", "/users/authenticate")
SIGNING_IN = [(LOGIN, field.name) for field in ROUTES[LOGIN].fields]


async def test_a_query_that_is_malformed(hostile: Hostile) -> None:
    many = "&".join(["a=b"] * 1_001)
    for key in ROUTES:
        path = key[1].format(**hostile.scene(key).words)
        sent: dict[str, Any] = {"json": hostile.good(key)} if ROUTES[key].body else {}
        for query in ("%ff", "a=%ff", "%ed%a0%80=1", "a=%F0%9F%98", many):
            await hostile(key, query[:20], f"{path}?{query}", **sent)


def _queries(field: Field) -> Iterator[str]:
    if not _is_text(field):
        yield from (f"{field.name}={value}" for value in ("nonsense", "-1", "%00", "", "1.0", "9" * 5_000))
    else:
        yield from (f"{field.name}={value}" for value in ("%00", "a%00b", "x" * 10_000, "%F0%9F%98%80"))
    yield f"{field.name}=1&{field.name.upper()}=1"


async def test_a_query_of_wrong_values(hostile: Hostile) -> None:
    for key in ROUTES:
        path = key[1].format(**hostile.scene(key).words)
        for field in ROUTES[key].query:
            for query in _queries(field):
                await hostile(key, query[:30], f"{path}?{query}")


WORDS = ["%00", "a%00b", "%ff", "%ed%a0%80", "%F0%9F%98%80", "%E2%80%AE", "a%2Fb", "%2e%2e", "%20", "%zz", "-1"]
WORDS += ["9" * 5_000, "x" * 10_000, "%C3%9F" * 1_000, "'", "%22", "%5C", "*", "%25"]


async def test_a_path_of_words_that_nothing_is_named(hostile: Hostile) -> None:
    for key in ROUTES:
        good = hostile.scene(key).words
        sent: dict[str, Any] = {"json": hostile.good(key)} if ROUTES[key].body else {}
        for word in good:
            if f"{{{word}}}" in key[1]:
                for strange in WORDS:
                    await hostile(key, f"{word} {strange[:9]}", key[1].format(**good | {word: strange}), **sent)


@pytest.mark.parametrize("overrides", [{"OSTIARY_DRONE_DB_CLIENTS": flag} for flag in ("false", "true")])
async def test_a_list_that_is_absent_or_misspelt_replaces_nothing(
    rest: Rest, make: Make, database: db.Database
) -> None:
    """A list in a body replaces the stored one, so that an absent list must not count as an empty one."""
    replacing = [key for key in WITH_FIELDS if any(field.kind is TEXTS for field in ROUTES[key].fields)]
    changing = [key for key in replacing if key[0] != "POST"]  # a POST creates, or its list is required
    root = await make.admin()
    here = await scene(make, 0, joined=True)

    assert changing
    for key in changing:
        names = [field.name for field in ROUTES[key].fields if field.kind is TEXTS]
        async with unchanged(database):
            for body in ({}, *({f"{name}x": []} for name in names), *({name: None} for name in names)):
                await rest(key[0], key[1].format(**here.words), root, json=body)
