"""The access matrix: every mutation, run by each user that the policy distinguishes."""

from collections.abc import Iterator
from copy import deepcopy
from itertools import pairwise
from typing import Any

import pytest
from graphql import (
    DirectiveNode,
    EnumValueNode,
    FieldDefinitionNode,
    GraphQLInputObjectType,
    ObjectTypeDefinitionNode,
    StringValueNode,
    build_schema,
    get_named_type,
    get_nullable_type,
    is_list_type,
    parse,
)

from app import db, main
from app.domain import refs
from tests.oracle.matrix import PERMITTED, SUCCESS, Case, Scene, World
from tests.oracle.matrix.entities import THINGS
from tests.oracle.matrix.storage import TICKETS
from tests.oracle.matrix.users import PEOPLE
from tests.support.changes import change, problems, unchanged
from tests.support.client import Api, codes
from tests.support.factories import Make, Person, all_but_the_log

MUTATION_MATRIX: dict[str, Case] = PEOPLE | THINGS | TICKETS
EVERY = sorted(MUTATION_MATRIX)
TRIED = [name for name in EVERY if MUTATION_MATRIX[name].has_trial]

Path = tuple[str | int, ...]


def _mutations() -> dict[str, FieldDefinitionNode]:
    """Return the mutations of the SDL."""
    types = [node for node in parse(main.sdl()).definitions if isinstance(node, ObjectTypeDefinitionNode)]
    (mutation,) = (node for node in types if node.name.value == "Mutation")
    return {each.name.value: each for each in mutation.fields or ()}


def _requires(mutation: FieldDefinitionNode) -> tuple[str | None, bool]:
    """Return the permission that it names, and whether others may do it without."""
    directive = next((each for each in mutation.directives or () if each.name.value == "requiresPermission"), None)
    said = {} if directive is None else _arguments(directive)
    return said.get("permission"), "unless" in said


def _arguments(directive: DirectiveNode) -> dict[str, str]:
    kinds = EnumValueNode | StringValueNode
    return {each.name.value: each.value.value for each in directive.arguments or () if isinstance(each.value, kinds)}


def test_every_mutation_is_in_the_access_matrix() -> None:
    assert set(_mutations()) == set(MUTATION_MATRIX)


def test_the_schema_names_the_permission_that_each_mutation_needs_and_whether_there_are_other_ways() -> None:
    required = {
        name: (case.requires.name, bool(case.may - PERMITTED)) if case.requires else (None, False)
        for name, case in MUTATION_MATRIX.items()
    }

    assert {name: _requires(mutation) for name, mutation in _mutations().items()} == required


def test_every_change_that_can_be_undone_can_be_tried() -> None:
    tried = {name for name, node in _mutations().items() if node.arguments and name != "login"}

    assert tried == set(TRIED)


def test_the_matrix_speaks_of_those_who_ask() -> None:
    unknown = {name: case.may - {*case.family.askers} for name, case in MUTATION_MATRIX.items()}

    assert {name: askers for name, askers in unknown.items() if askers} == {}


async def _ask(api: Api, name: str, as_: Person | None, change_input: dict[str, Any] | None) -> dict[str, Any]:
    if change_input is None:
        return await api(f"mutation {{ {name} {{ errors {{ code message path }} }} }}", as_=as_)
    return await api(change(name), as_=as_, input=change_input)


async def _scenes(make: Make, name: str, *, is_permitted: bool) -> list[tuple[Scene, Person | None, str, str]]:
    """Return each scene with an asker, the outcome and a label: only permitted changes, or all others."""
    case = MUTATION_MATRIX[name]
    scenes = []
    for world in case.worlds:
        scene = await case.scene(make, world)
        for kind, asker in case.family.askers.items():
            outcome = case.outcome(kind, world)
            if (outcome == SUCCESS) is is_permitted:
                scene = await case.scene(make, world) if is_permitted else scene
                scenes.append((scene, await asker(make, scene), outcome, f"{kind} in {world}"))
    return scenes


@pytest.mark.parametrize("name", EVERY)
async def test_a_user_without_the_right_changes_nothing(api: Api, make: Make, database: db.Database, name: str) -> None:
    scenes = await _scenes(make, name, is_permitted=False)

    async with unchanged(database):
        for scene, asker, code, who in scenes:
            reply = await _ask(api, name, asker, scene.input)
            assert codes(reply) == [code], who
            if code in {"UNAUTHENTICATED", "FORBIDDEN", "NOT_FOUND"} and not _is_elsewhere(name, scene):
                assert codes(await _ask(api, name, asker, _invalid_input(scene))) == [code], who
            if code == "NOT_FOUND":
                assert await _ask(api, name, asker, _ghost(name, scene)) == reply, who


def _invalid_input(scene: Scene) -> dict[str, Any] | None:
    return scene.input and {**scene.input, **scene.invalid}


def _is_elsewhere(name: str, scene: Scene) -> bool:
    """Return whether the scene is rejected since it names another object."""
    return name == "deleteResources" or bool(scene.invalid.keys() & {"org", "resource"})


def _ghost(name: str, scene: Scene) -> dict[str, Any] | None:
    """Return the same input about an object that never existed."""
    kind = MUTATION_MATRIX[name].family.kind
    path = next(path for path, place_kind in _places(name) if place_kind == kind)
    ghost: dict[str, Any] = _with(scene.input, path, {"id": refs.encode(kind, 999_999)})
    return ghost


@pytest.mark.parametrize("name", EVERY)
async def test_a_user_with_the_right_makes_the_change(api: Api, make: Make, database: db.Database, name: str) -> None:
    scenes = await _scenes(make, name, is_permitted=True)

    before = await all_but_the_log(database)
    for scene, asker, _, who in scenes:
        assert codes(await _ask(api, name, asker, scene.input)) == [], who
        after = await all_but_the_log(database)
        assert (after != before) is MUTATION_MATRIX[name].writes, who
        before = after


@pytest.mark.parametrize("name", TRIED)
async def test_a_trial_writes_nothing_and_is_refused_as_the_change_is(
    api: Api, make: Make, database: db.Database, name: str
) -> None:
    root, scene = await make.admin(), await MUTATION_MATRIX[name].scene(make, World.OPEN)
    valid, invalid = scene.input, _invalid_input(scene)
    assert valid is not None
    assert invalid is not None

    async with unchanged(database):
        tried = await _ask(api, name, root, valid | {"validateOnly": True})
        tried_wrong = await _ask(api, name, root, invalid | {"validateOnly": True})
        done_wrong = await _ask(api, name, root, invalid)

    assert codes(tried) == []
    assert problems(tried_wrong)
    assert tried_wrong == done_wrong


LOCKED = [name for name in TRIED if MUTATION_MATRIX[name].locked]


@pytest.mark.parametrize("name", LOCKED)
async def test_a_trial_on_what_is_locked_is_refused_as_the_change_is(
    api: Api, make: Make, database: db.Database, name: str
) -> None:
    root, scene = await make.admin(), await MUTATION_MATRIX[name].scene(make, World.LOCKED)
    assert scene.input is not None

    async with unchanged(database):
        tried = await _ask(api, name, root, scene.input | {"validateOnly": True})
        done = await _ask(api, name, root, scene.input)

    assert tried == done
    assert codes(done) == [MUTATION_MATRIX[name].locked]


SCHEMA = build_schema(main.sdl())
OTHERS = {"User": "Role", "Role": "User", "Org": "Group", "Group": "Org", "Resource": "Org"}
NAMES = {"User": "userName", "Role": "name", "Org": "slug", "Group": "slug"}


def _strange(kind: str) -> list[dict[str, Any]]:
    """Return references to no object at all."""
    key = refs.encode
    ids = [key(kind, 999), key(OTHERS[kind], 1), key(kind, 2**31), key(kind, 0), key(kind, 2**70)]
    strange = [{"id": text} for text in [*ids, "", "x", "VXNlcjox=", "ü", "\0", "1"]]
    if kind == "Resource":
        slugs = [("", ""), ("ghost", "ghost"), ("a\0", "b"), ("a/b", "c"), ("ghost/ghost", "")]
        return [*strange, *({"path": {"orgSlug": org, "slug": slug}} for org, slug in slugs)]
    return [*strange, *({NAMES[kind]: name} for name in ("ghost", "", "a\0", "a" * 1_000))]


def _places(name: str) -> Iterator[tuple[Path, str]]:
    """Yield the paths at which the input of a mutation names a row, with its type; the first item represents a list."""
    mutation = SCHEMA.mutation_type
    assert mutation is not None
    argument = mutation.fields[name].args.get("input")
    return iter(()) if argument is None else _below(get_named_type(argument.type), ())


def _below(kind: Any, path: Path) -> Iterator[tuple[Path, str]]:
    if kind.name.endswith("By") and isinstance(kind, GraphQLInputObjectType):
        yield path, kind.name.removesuffix("By")
    elif isinstance(kind, GraphQLInputObjectType):
        for name, each in kind.fields.items():
            at: Path = (0,) if is_list_type(get_nullable_type(each.type)) else ()
            yield from _below(get_named_type(each.type), (*path, name, *at))


def _with(original: Any, path: Path, value: Any) -> Any:
    """Return the input with another value at a path; a subject replaces the previous one, and a list is created."""
    copy = inner = deepcopy(original)
    for at, following in pairwise(path):
        if at == "subject":
            inner[at] = {following: None}
        if at not in inner and following == 0:
            inner[at] = [None]
        inner = inner[at]
    inner[path[-1]] = value
    return copy


NAMED = [(name, path, kind) for name in EVERY for path, kind in _places(name)]


@pytest.mark.parametrize(("name", "path", "kind"), NAMED, ids=lambda part: str(part).replace("'", ""))
async def test_what_does_not_exist_is_not_found(
    api: Api, make: Make, database: db.Database, name: str, path: Path, kind: str
) -> None:
    root, scene = await make.admin(), await MUTATION_MATRIX[name].scene(make, World.OPEN)
    strange = _strange(kind)

    async with unchanged(database):
        replies = [await _ask(api, name, root, _with(scene.input, path, ghost)) for ghost in strange]

    assert {each for reply in replies for each in problems(reply)} == {f"NOT_FOUND {_dotted(path)}"}
    assert [len(problems(reply)) for reply in replies] == [1] * len(strange)


def _dotted(path: Path) -> str:
    return ".".join(map(str, ("input", *path)))


async def test_a_row_is_named_in_exactly_one_way(api: Api, make: Make, database: db.Database) -> None:
    root = await make.admin()

    for name, kind in (("deleteUser", "user"), ("deleteOrg", "org"), ("deleteGroup", "group"), ("deleteRole", "role")):
        word = NAMES[kind.capitalize()]
        one = {"id": root.node, word: "root"}
        ways: list[Any] = [None, {}, one, {"id": None}, {word: None}, one | {"id": None}, one | {word: None}]
        async with unchanged(database):
            replies = [await api(change(name), as_=root, input={kind: by}) for by in ways]
        assert [set(codes(reply)) for reply in replies] == [{"BAD_USER_INPUT"}] * len(ways)
