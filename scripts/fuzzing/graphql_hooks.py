"""The hooks of the fuzzer for GraphQL: plausible values, protection of its own account, statistics of the responses."""

import json
import os
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from random import Random
from typing import Any

import graphql
import requests
import schemathesis
from graphql import ObjectFieldNode, ObjectValueNode, StringValueNode
from hypothesis import strategies as st
from schemathesis.graphql import nodes

from scripts.fuzzing import documents, variables

SCHEMA = graphql.build_schema(Path(os.environ["FUZZ_SCHEMA"]).read_text())
WORLD = json.loads(Path(os.environ["FUZZ_WORLD"]).read_text())
ADDRESS = os.environ["FUZZ_ADDRESS"]
TOKEN = os.environ["FUZZ_TOKEN"]
PASSWORD = os.environ["FUZZ_PASSWORD"]

EXPECTED = frozenset(
    {
        "BAD_REQUEST",
        "BAD_USER_INPUT",
        "FORBIDDEN",
        "GRAPHQL_PARSE_FAILED",
        "GRAPHQL_VALIDATION_FAILED",
        "NOT_FOUND",
        "OPERATION_TOO_COMPLEX",
        "RATE_LIMITED",
        "UNAUTHENTICATED",
    }
)
"""Error codes that a request can cause. Each other top-level error is a fault of the server."""

FAIR = 0.5
"""The least share of cases that are executed with data, so that a run is meaningful."""

OTHERS = 7
"""Number of times that each generated document runs with other values."""

ENDING = ("Mutation.logout", "Mutation.signOutEverywhere", "Mutation.changePassword")
"""Mutations that end the session of the asker."""

ESCAPES = ("\\ud800", "\\udfff\\ud800", "\\ud83d\\udc1f", "\\u{10FFFF}", "\\u{110000}", "\\u0000", "\\u{0}")
"""Escapes of a character that are valid only in a document."""

EXISTING = {text for existing in (WORLD["ids"], WORLD["names"]) for texts in existing.values() for text in texts}
SOMEBODY_ID, SOMEBODY = WORLD["ids"]["User"][0], WORLD["names"]["User"][0]

moments = st.sampled_from(
    [
        "0001-01-01T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "1970-01-01T00:00:00.000001Z",
        "2030-02-28T23:59:60Z",
        "9999-12-31T23:59:59.999999Z",
        "9999-12-31T23:59:59.999999-14:00",
        "10000-01-01T00:00:00Z",
        "2026-W01-1T00:00:00Z",
        "20260101T000000Z",
        "2026-01-01",
    ]
) | st.datetimes(timezones=st.timezones(no_cache=True)).map(lambda moment: moment.isoformat())
integers = st.integers(-(2**54), 2**54) | st.sampled_from(
    [0, -1, 2**31, 2**53 - 1, 2**53, 2**63, 2**64, 10**30, 10**400]
)
leaves = (
    st.text(max_size=20).map(nodes.String)
    | integers.map(nodes.Int)
    | st.floats(allow_nan=False, allow_infinity=False).map(nodes.Float)
    | st.sampled_from(["1e999", "-1e999", "1e-999"]).map(lambda text: graphql.FloatValueNode(value=text))
    | st.booleans().map(nodes.Boolean)
    | st.just(nodes.Null)
)
keys = st.from_regex(r"[_A-Za-z]\w{0,10}", fullmatch=True).filter(str.isascii) | st.sampled_from(
    ["roles", "maxStorageMB", "__proto__"]
)


def _member(named: tuple[str, Any]) -> ObjectFieldNode:
    return ObjectFieldNode(name=graphql.NameNode(value=named[0]), value=named[1])


def _objects(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    members = st.lists(st.tuples(keys, values), max_size=4, unique_by=lambda named: named[0])
    return members.map(lambda some: nodes.Object([_member(each) for each in some]))


values = st.recursive(leaves, lambda inner: _objects(inner) | st.lists(inner, max_size=3).map(nodes.List), max_leaves=6)
schemathesis.graphql.scalar("DateTime", moments.map(nodes.String))
schemathesis.graphql.scalar("BigInt", integers.map(nodes.Int) | st.floats(0, 1e300).map(nodes.Float))
schemathesis.graphql.scalar("JSON", _objects(values) | values)

sensible = documents.Sensible(SCHEMA, WORLD)
pool = ThreadPoolExecutor(OTHERS)
session = requests.Session()
session.trust_env = False
session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))  # a login does not change the next request's user


@schemathesis.hook
def before_call(_: schemathesis.HookContext, case: schemathesis.Case, kwargs: dict[str, Any]) -> None:
    """Run the document with some values, and before with others at once: to generate a document takes far longer."""
    label, document, turn = case.operation.label, graphql.parse(case.body), tally.turns[case.body]
    token = _spare() if label in ENDING else TOKEN
    case.headers = {"Authorization": f"Bearer {token}"}
    kwargs["data"] = _body(label, document, Random(f"{turn} {case.body}"))
    others = range(0 if label in ENDING else OTHERS)
    bodies = [_body(label, document, Random(f"{turn} {at} {case.body}")) for at in others]
    for body, response in zip(bodies, pool.map(_send, bodies), strict=True):
        if tally.count(label, response):
            kwargs["data"] = body  # the request runs again, and is reported


def _send(body: bytes) -> requests.Response:
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    return session.post(f"{ADDRESS}/graphql", data=body, headers=headers, timeout=70)


def _body(label: str, document: graphql.DocumentNode, chance: Random) -> bytes:
    """Return the document with plausible values and no protected objects; as literals or as variables."""
    document = sensible(document, chance)
    if label.startswith("Mutation."):
        document = graphql.visit(document, Careful(label))
    return variables.body(document, SCHEMA, chance) if chance.random() < 0.5 else _literally(document, chance)


def _literally(document: graphql.DocumentNode, chance: Random) -> bytes:
    """Return the document with literals, sometimes with an escape in one of its strings."""
    text = graphql.print_ast(document)
    if chance.random() < 0.05:
        text = text.replace(': "', f': "{chance.choice(ESCAPES)}', 1)
    return json.dumps({"query": text}).encode()


class Careful(graphql.Visitor):
    """A visitor that moves changes of own accounts to another user, and only validates deletions of shared objects."""

    def __init__(self, label: str) -> None:
        super().__init__()
        self._deletes = label.startswith("Mutation.delete")

    def enter_object_field(self, node: ObjectFieldNode, *_: Any) -> Any:
        """Name another user in place of the own accounts."""
        other = {"id": SOMEBODY_ID, "userName": SOMEBODY}.get(node.name.value)
        if other is None or not isinstance(node.value, StringValueNode) or not _is_ours(node.value.value):
            return None
        return ObjectFieldNode(name=node.name, value=StringValueNode(value=other))

    def leave_argument(self, node: graphql.ArgumentNode, *_: Any) -> Any:
        """Only validate a deletion of an object that exists from the beginning."""
        if not (self._deletes and isinstance(node.value, ObjectValueNode) and EXISTING & set(_texts(node.value))):
            return None
        tried = ObjectFieldNode(name=graphql.NameNode(value="validateOnly"), value=graphql.BooleanValueNode(value=True))
        others = [each for each in node.value.fields if each.name.value != "validateOnly"]
        return graphql.ArgumentNode(name=node.name, value=ObjectValueNode(fields=(*others, tried)))


def _is_ours(text: str) -> bool:
    return text in WORLD["ours"].values() or text.lower() in WORLD["ours"]


def _texts(node: graphql.ValueNode) -> Iterator[str]:
    if isinstance(node, StringValueNode):
        yield node.value
    elif isinstance(node, ObjectValueNode):
        for each in node.fields:
            yield from _texts(each.value)


def _spare() -> str:
    """Return a token of the second administrator, after a reset of their password."""
    mutation = """mutation($user: UserBy!, $password: String!) {
        resetPassword(input: {user: $user, newPassword: $password}) { errors { message } }
    }"""
    (name,) = (each for each in WORLD["ours"] if each != os.environ["FUZZ_ADMINISTRATOR"])
    operation = {"query": mutation, "variables": {"user": {"userName": name}, "password": PASSWORD}}
    headers = {"Authorization": f"Bearer {TOKEN}"}
    session.post(f"{ADDRESS}/graphql", json=operation, headers=headers, timeout=60).raise_for_status()
    form = {"username": name, "password": PASSWORD}
    reply = requests.post(f"{ADDRESS}/users/authenticate", data=form, timeout=60)
    reply.raise_for_status()
    return str(reply.json()["token"])


class Tally:
    """Statistics of the responses."""

    def __init__(self) -> None:
        self.counted: Counter[str] = Counter()
        self.codes: Counter[str] = Counter()
        self.tried: set[str] = set()
        self.well: set[str] = set()
        self.turns: Counter[str] = Counter()
        """Clean runs of each text: after one it gets other values, otherwise the same ones again."""

    def count(self, label: str, response: Any) -> list[str]:
        """Count a response; return its codes that no request can cause."""
        body = response.json()
        refused = {error["extensions"]["code"] for error in body.get("errors", ())}
        problems = set(_problems(body.get("data")))
        self.codes.update(refused | {f"{code} (of a change)" for code in problems})
        self.tried.add(label)
        self.counted["requests"] += 1
        if any(value is not None for value in (body.get("data") or {}).values()):
            self.counted["data"] += 1
            if not problems:
                self.well.add(label)
                self.counted["changes" if label.startswith("Mutation.") else "reads"] += 1
        return sorted(refused - EXPECTED)

    def summary(self) -> str:
        """Return the statistics as text."""
        requests_sent, data = self.counted["requests"], self.counted["data"]
        lines = [f"{requests_sent:,} requests, {data:,} of them executed with data"]
        lines += [f"  {self.counted[what]:>7,} {what} that nothing was wrong with" for what in ("reads", "changes")]
        lines += [f"  {count:>7,} with {code}" for code, count in self.codes.most_common()]
        return "\n".join([*lines, *(f"  never well: {label}" for label in sorted(self.tried - self.well)), ""])


tally = Tally()


@schemathesis.check
class no_surprise:  # noqa: N801 - checks are named on the command line
    """A check of the codes of each response, and at the end of the share of executed cases."""

    def after_response(self, _: Any, response: Any, case: schemathesis.Case) -> None:
        """Fail on a code that no request can cause."""
        surprises = tally.count(case.operation.label, response)
        tally.turns[case.body] += not surprises
        assert not surprises, f"{', '.join(surprises)} in an answer with status {response.status_code}"

    def after_run(self, _: Any) -> None:
        """Write the statistics, and fail if too few cases were executed."""
        Path(os.environ["FUZZ_TOLD"]).write_text(tally.summary())
        assert tally.counted["data"] >= FAIR * tally.counted["requests"], "too little was executed with data"


def _problems(data: Any) -> Iterator[str]:
    """Yield the codes of all problems in the payloads of changes."""
    for payload in (data or {}).values():
        if isinstance(payload, dict):
            yield from (problem["code"] for problem in payload.get("errors") or () if "code" in problem)


@schemathesis.hook
def filter_failure(_: schemathesis.HookContext, failure: Any, case: schemathesis.Case, response: Any) -> bool:
    """Return True for a real failure: schemathesis blames the server for each error with a path, FORBIDDEN included."""
    if type(failure).__name__ != "GraphQLServerError":
        return True
    return bool({error["extensions"]["code"] for error in response.json()["errors"]} - EXPECTED)
