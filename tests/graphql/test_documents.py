"""Claims about documents: which are valid, which are refused, and that a refusal is never expensive."""

from typing import Any

import pytest
from graphql import GraphQLError, build_schema, get_introspection_query

from app.config import Limits
from app.graphql.documents.cache import DocumentCache, Invalid
from tests.support.effort import counted
from tests.support.hostile import HOSTILE, MAX_CALLS, MAX_SECONDS

SCHEMA = build_schema("""
type Query { me: User, users(first: Int, last: Int, ids: [Int]): UserConnection, node: Node, login(name: String): User }
type Mutation { rename(name: String): User }
interface Node { id: ID }
type User implements Node { id: ID, name: String, friend: User, ids(first: Int): [ID]
  friends(first: Int): UserConnection }
type UserConnection { edges: [UserEdge], nodes: [User], totalCount: Int }
type UserEdge { node: User, cursor: String }
""")


@pytest.fixture
def documents() -> DocumentCache:
    return DocumentCache(SCHEMA, Limits())


def limited(**limits: int) -> DocumentCache:
    return DocumentCache(SCHEMA, Limits().model_copy(update=limits))


def refusal(documents: DocumentCache, text: str, name: str | None = None, **options: Any) -> Invalid:
    with pytest.raises(Invalid) as caught:
        documents.lookup(text, name, **options)
    assert {error.extensions["code"] for error in caught.value.errors if error.extensions} == {caught.value.code}
    return caught.value


def limit_exceeded(documents: DocumentCache, text: str) -> tuple[str, int, int]:
    """Return the exceeded limit, its maximum, and the value of the document."""
    invalid = refusal(documents, text)
    assert invalid.code == "OPERATION_TOO_COMPLEX"
    facts = invalid.errors[0].extensions or {}
    return facts["limit"], facts["maximum"], facts["value"]


def test_a_valid_document_gives_its_operation_and_fragments(documents: DocumentCache) -> None:
    text = "query A { me { ...Name } } query B { me { ...Name } } fragment Name on User { name }"
    document = documents.lookup(text, "B")

    assert document.operation.name
    assert document.operation.name.value == "B"
    assert list(document.fragments) == ["Name"]
    assert document.text == text.replace("...Name", "... Name")


def test_a_lone_operation_needs_no_name(documents: DocumentCache) -> None:
    assert documents.lookup("query A { me { id } }", None).operation.name


@pytest.mark.parametrize(
    ("text", "name", "code"),
    [
        ("{", None, "GRAPHQL_PARSE_FAILED"),
        ("", None, "GRAPHQL_PARSE_FAILED"),
        ("# nothing", None, "GRAPHQL_PARSE_FAILED"),
        ('{ me { id } } "unclosed', None, "GRAPHQL_PARSE_FAILED"),
        ("{ \x00 }", None, "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", None, "GRAPHQL_VALIDATION_FAILED"),
        ("{ me { id } } { me { id } }", None, "GRAPHQL_VALIDATION_FAILED"),
        ("type A { b: Int }", None, "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { me { id } }", None, "GRAPHQL_VALIDATION_FAILED"),
        ("fragment F on User { id }", None, "GRAPHQL_VALIDATION_FAILED"),
        ("{ me { ...F } } fragment F on User { id } fragment F on User { name }", None, "GRAPHQL_VALIDATION_FAILED"),
        ("{ users(first: " + "9" * 4400 + ") { totalCount } }", None, "OPERATION_TOO_COMPLEX"),
        ("{ users(ids: [" + "9" * 4400 + "]) { totalCount } }", None, "GRAPHQL_VALIDATION_FAILED"),
        ("query A { me { id } } query B { me { id } }", None, "OPERATION_RESOLUTION_FAILURE"),
        ("query A { me { id } } query B { me { id } }", "C", "OPERATION_RESOLUTION_FAILURE"),
        ("{ me { id } }", "A", "OPERATION_RESOLUTION_FAILURE"),
    ],
)
def test_every_failure_has_its_code(documents: DocumentCache, text: str, name: str | None, code: str) -> None:
    assert refusal(documents, text, name).code == code


def test_errors_say_where(documents: DocumentCache) -> None:
    assert refusal(documents, "{ me { id }\n  nothing }").errors[0].formatted["locations"] == [{"line": 2, "column": 3}]


def test_validation_stops_after_fifty_errors(documents: DocumentCache) -> None:
    text = "{ me { " + " ".join(f"x{i}" for i in range(200)) + " } }"

    assert len(refusal(documents, text).errors) == 51  # and one that says so


def test_introspection_can_be_closed_for_a_caller(documents: DocumentCache) -> None:
    documents.lookup("{ __schema { queryType { name } } }", None)
    documents.lookup("{ __typename me { __typename } }", None, introspection=False)

    invalid = refusal(documents, "{ __schema { queryType { name } } }", introspection=False)

    assert str(invalid) == "This server does not show its schema to you."


@pytest.mark.parametrize("introspection", [True, False])
def test_suggestions_require_access_to_the_schema(documents: DocumentCache, introspection: bool) -> None:
    invalid = refusal(documents, "{ mee { id } }", introspection=introspection)

    assert ("Did you mean" in str(invalid)) == introspection


def test_a_document_is_remembered_by_text_name_and_caller(documents: DocumentCache) -> None:
    text = "query A { me { id } }"
    cached = documents.lookup(text, None)

    assert documents.lookup(text, None) is cached
    assert documents.lookup(text, "A") is not cached
    assert documents.lookup(text, None, introspection=False) is not cached


def test_a_failure_is_remembered_but_never_raised_twice(documents: DocumentCache) -> None:
    first, second = refusal(documents, "{ nothing }"), refusal(documents, "{ nothing }")

    assert first is not second
    assert first.errors[0] is second.errors[0]
    assert first.errors[0].nodes is None  # no tree is kept for it
    assert first.errors[0].__traceback__ is None


def test_the_oldest_document_is_forgotten_first() -> None:
    documents = DocumentCache(SCHEMA, Limits(), size=2)
    a, b = documents.lookup("{ me { id } }", None), documents.lookup("{ me { name } }", None)
    assert documents.lookup("{ me { id } }", None) is a

    documents.lookup("{ node { id } }", None)

    assert documents.lookup("{ me { id } }", None) is a
    assert documents.lookup("{ me { name } }", None) is not b


def test_memory_is_bounded_by_characters_too() -> None:
    documents = DocumentCache(SCHEMA, Limits(), size=4)
    cached = documents.lookup("{ me { id } }", None)

    documents.lookup("{ me { name } } #" + "x" * 1990, None)

    assert documents.lookup("{ me { id } }", None) is not cached


def test_very_long_texts_are_not_remembered(documents: DocumentCache) -> None:
    text = '{ login(name: "' + "x" * 70_000 + '") { id } }'

    assert documents.lookup(text, None) is not documents.lookup(text, None)


@pytest.mark.parametrize(
    ("limits", "text", "value"),
    [
        ({"characters": 10}, "{ me { id } }", 13),
        ({"tokens": 5}, "{ me { id } }", 6),
        ({"tokens": 5}, '{me{id}}#,, "c"', 7),
        (
            {"definitions": 2},
            "query A($n: I = {a: 1}) { me { id } } fragment F on User { id } query B { __typename }",
            3,
        ),
        ({"nesting": 3}, "{ users(ids: [[]]) { totalCount } }", 4),
        ({"directives": 1}, '{ login(name: "@") @a { id @b } }', 2),
        ({"aliases": 1}, '{ a: login(name: ":") { b: id name } }', 2),
        ({"depth": 2}, "{ me { ...F } } fragment F on User { friend { id } }", 3),
        ({"siblings": 2}, "{ me { a: id b: id ... { id } } }", 3),
        ({"siblings": 2}, "{ me { a: id a: name ... on User { a: friend { id } } } }", 3),
        ({"siblings": 3}, "{ me { id id } me { ...F } } fragment F on User { id id }", 4),
        ({"comparisons": 6}, "{ me { id id } me { id id } }", 7),
        ({"root_fields": 1}, "{ me { id } ...F } fragment F on Query { node { id } }", 2),
        ({"selections": 8}, "{ me { ...F } a: me { ...F } } fragment F on User { id name }", 10),
        ({"introspection": 1}, "{ __schema { types { fields { type { fields { name } } } } } }", 2),
        ({"cost": 60}, "{ users { nodes { id name } } }", 61),
        ({"cost": 20}, "{ users(first: 10) { totalCount edges { node { id } } } }", 32),
        ({"cost": 7}, "{ users(last: 3) { nodes { id } } me { id } }", 9),
        (
            {"cost": 10},
            "{ me { name friend { friends(first: 5) { ...P } } } } fragment P on UserConnection { nodes { id } }",
            14,
        ),
        ({"cost": 20}, "query ($n: Int = 10) { users(first: $n) { nodes { id } } }", 21),
        ({"cost": 40}, "query ($n: Int) { users(first: $n) { nodes { id } } }", 41),
    ],
)
def test_each_limit_names_itself_with_both_numbers(limits: dict[str, int], text: str, value: int) -> None:
    name, maximum = next(iter(limits.items()))

    assert limit_exceeded(limited(**limits), text) == (name.replace("_", " "), maximum, value)
    invalid = refusal(limited(**limits), text)
    assert f"{name.replace('_', ' ')} may be {maximum} at most, but here it is {value}" in str(invalid)


def test_a_document_at_its_limits_is_answered() -> None:
    text = "{ a: me { friends(first: 2) { nodes { id } } } }"
    exact = {
        "characters": 48,
        "tokens": 19,
        "definitions": 1,
        "nesting": 4,
        "aliases": 1,
        "depth": 4,
        "selections": 9,
        "cost": 6,
    }

    limited(**exact, directives=0, siblings=1, root_fields=1, comparisons=0, introspection=0).lookup(text, None)


def test_the_standard_introspection_query_is_within_the_limits(documents: DocumentCache) -> None:
    documents.lookup(get_introspection_query(True, True, True, True, True, True, True), None)


def test_all_operations_and_unused_fragments_are_measured() -> None:
    deep = "me { friend { friend { id } } }"

    assert limit_exceeded(limited(depth=3), "query A { me { id } } query B { " + deep + " }")[2] == 4
    assert limit_exceeded(limited(depth=3), "query A { me { id } } fragment F on Query { " + deep + " }")[2] == 4


def test_pages_are_weighed_with_the_variables_of_the_request(documents: DocumentCache) -> None:
    text = """query ($n: Int, $m: Int = 5) {
        users(first: $n) { nodes { friends(first: $n) { nodes { friends(first: $m) { nodes { id } } } } } }
    }"""
    document = documents.lookup(text, None)
    assert document.pages == {"n": 20, "m": 5}

    documents.check_sizes(document, {"n": 3, "m": 1})
    documents.check_sizes(document, {"n": "many", "m": None})
    documents.check_sizes(document, {"n": 100, "m": 1})
    with pytest.raises(Invalid) as caught:
        documents.check_sizes(document, {"n": 100, "m": 100})
    assert caught.value.code == "OPERATION_TOO_COMPLEX"


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_document_is_refused_for_little_work_and_says_why(documents: DocumentCache, name: str) -> None:
    text, why = HOSTILE[name]

    with counted() as effort:
        invalid = refusal(documents, text)

    assert effort.calls < MAX_CALLS
    assert effort.seconds < MAX_SECONDS
    assert (invalid.errors[0].extensions or {}).get("limit", invalid.code) == why


def test_circles_are_reported_by_name(documents: DocumentCache) -> None:
    invalid = refusal(documents, HOSTILE["a circle of fragments"][0])

    assert invalid.code == "GRAPHQL_VALIDATION_FAILED"
    assert invalid.errors[0].message == "Cannot spread fragment 'A' within itself via 'B'."
    assert isinstance(invalid.errors[0], GraphQLError)


def test_unknown_fragments_are_left_to_validation(documents: DocumentCache) -> None:
    assert "Unknown fragment 'F'" in str(refusal(documents, "{ me { ...F } }"))


def test_empty_selections_have_no_size(documents: DocumentCache) -> None:
    assert documents.lookup("{ me { } }", None).cost == 1
