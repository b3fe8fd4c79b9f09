"""Claims about refused filters: the error leads to the invalid part, in a literal, a variable or a part that is one."""

from typing import Any

import pytest

from app.query.pagination import MAX_CHOICES, MAX_COMPARISONS
from tests.support.client import Api
from tests.support.factories import Make

LITERAL = "{ users(filter: %s) { totalCount } }"
WHOLE = "query ($f: UserFilter) { users(filter: $f) { totalCount } }"
PART = "query ($p: UserFilter!) { users(filter: {not: {and: [{}, $p]}}) { totalCount } }"
MANY = [f"u{at}" for at in range(MAX_CHOICES + 1)]
REFUSED: dict[str, tuple[dict[str, Any], list[str]]] = {
    "null": ({"and": [{"userName": {"eq": "a"}}, {"email": {"eq": None}}]}, ["and", "1", "email", "eq"]),
    "nothing": ({"or": [{"userName": {}}]}, ["or", "0", "userName"]),
    "too many values": ({"not": {"userName": {"in": MANY}}}, ["not", "userName", "in"]),
    "NUL": ({"userName": {"startsWith": "a\0"}}, ["userName", "startsWith"]),
    "NUL in a list": ({"or": [{}, {"userName": {"in": ["a", "b\0"]}}]}, ["or", "1", "userName", "in", "1"]),
    "NUL in a search": ({"or": [{"search": "a\0"}]}, ["or", "0", "search"]),
    "NUL in a role": ({"or": [{"roleName": {"eq": "a\0"}}]}, ["or", "0", "roleName", "eq"]),
    "a long search": ({"not": {"search": "a " * 30}}, ["not", "search"]),
    "too deep": ({"not": {"not": {"not": {"not": {}}}}}, ["not", "not", "not", "not"]),
    "too many terms": ({"and": [{}] * (MAX_COMPARISONS + 1)}, ["and"]),
}


def _literal(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {_literal(each)}" for name, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_literal, value)) + "]"
    return "null" if value is None else '"' + value.replace("\0", "\\u0000") + '"'


async def _refusal(api: Api, root: Any, text: str, **variables: Any) -> dict[str, Any]:
    """Return the error, which is the same the second time, when there is a plan."""
    errors = [(await api(text, as_=root, **variables))["errors"] for _ in range(2)]
    assert errors[0] == errors[1]
    (error,) = errors[0]
    extensions: dict[str, Any] = error["extensions"]
    assert extensions.pop("code") == "BAD_USER_INPUT"
    return extensions


@pytest.mark.parametrize("overrides", [{}, {"OSTIARY_EXECUTOR": "reference"}], ids=["compiled", "reference"])
async def test_each_refusal_of_a_filter_names_its_place(api: Api, make: Make) -> None:
    root = await make.admin()
    for name, (value, path) in REFUSED.items():
        assert await _refusal(api, root, LITERAL % _literal(value)) == {"argument": "filter", "path": path}, name
        assert await _refusal(api, root, WHOLE, f=value) == {"variable": "f", "path": path}, name
    for name in ("null", "too many values", "NUL in a list"):
        value, path = REFUSED[name]
        inner = value.get("not", value)
        assert await _refusal(api, root, PART, p=inner) == {"variable": "p", "path": path[value is not inner :]}, name


async def test_a_message_names_the_variable(api: Api, make: Make) -> None:
    reply = await api(WHOLE, as_=await make.admin(), f=REFUSED["null"][0])

    assert reply["errors"][0]["message"].startswith("Variable `$f`: `and[1].email.eq` is null.")
