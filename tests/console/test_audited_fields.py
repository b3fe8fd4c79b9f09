"""The console has words for every field of the audit log: `auditedFields.json` beside its words lists them.

The fields of states and links come from rows of every kind. Those that services note come from their sources. The tests
of the console compare the file with its words, so a new field needs both.
"""

import ast
import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import app
from app.db import Database
from app.domain import resource_roles
from app.domain.viewer import SYSTEM
from app.services import audit
from app.services.audit import states
from app.services.audit.pruning import AUDIT_LOG
from app.services.entities import AUDITED, ENTITIES
from scripts.console.sources import Console
from tests.support.factories import Make

LIST = Console().folder / "src" / "audit" / "auditedFields.json"
SERVICES = Path(app.__file__).parent / "services"
CONSTANTS = {name: entity.constant for name, entity in ENTITIES.items()} | {AUDIT_LOG: "AUDIT_LOG"}
KIND_NAMES = {
    name: getattr(states, name) for name in ("USER", "ROLE", "ORG", "GROUP", "RESOURCE", "RESOURCE_TYPE", "API_TOKEN")
} | {"AUDIT_LOG": AUDIT_LOG}

Fields = dict[str, set[str]]


async def _state_fields(database: Database, fields: Fields) -> None:
    async with audit.transaction(database, SYSTEM, "viewer", dry_run=True) as tx:
        for kind, load in AUDITED.items():
            for state in (await load(tx, [1])).values():
                fields[kind] |= state.values.keys()
                for end in state.parents:
                    fields[end.ref[0]].add(end.key)
        for links in (audit.ORG_MEMBERS, audit.GROUP_MEMBERS, audit.GRANTS):
            for row in await states.load_links(tx, states.LinkQuery(links, None, None)):
                for end in links.read(row).ends:
                    fields[end.ref[0]].add(end.key)


def _notes(path: Path) -> Iterator[tuple[str, str]]:
    """Return the kinds and fields of all notes in a module."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = {each.name: each for each in ast.walk(tree) if isinstance(each, ast.FunctionDef)}
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and ast.unparse(call.func) in {"audit.note", "recorder.note"}:
            kind = KIND_NAMES[ast.unparse(call.args[1]).rpartition(".")[2]]
            values = call.args[3]
            if isinstance(values, ast.Call):
                values = next(
                    each.value
                    for each in ast.walk(functions[ast.unparse(values.func)])
                    if isinstance(each, ast.Return) and each.value is not None
                )
            assert isinstance(values, ast.Dict), f"{path}:{call.lineno}: write the noted fields as a dict"
            for key in values.keys:
                yield from ((kind, text) for text in _texts(key or values))


def _texts(node: ast.AST) -> list[str]:
    constants = [each.value for each in ast.walk(node) if isinstance(each, ast.Constant)]
    return [value for value in constants if isinstance(value, str)]


async def test_the_console_lists_every_audited_field(make: Make, database: Database) -> None:
    user = await make.admin()
    org = await make.org("reef", user)
    group = await make.group("crews", user)
    resource = await make.resource(org, owner=user, slug="corals")
    await make.member(org, await make.user("luca"))
    await make.grant(resource, group, resource_roles.READ)
    await make.grant(resource, user, resource_roles.READ)
    await make.api_token(user)
    fields: Fields = defaultdict(set)
    await _state_fields(database, fields)
    for path in sorted(SERVICES.rglob("*.py")):
        for kind, field in _notes(path):
            fields[kind].add(field)

    listed = {CONSTANTS[kind]: sorted(names) for kind, names in sorted(fields.items())}
    assert json.loads(LIST.read_text(encoding="utf-8")) == listed, f"write into {LIST.name}: {json.dumps(listed)}"
    assert set(fields) == {*AUDITED, AUDIT_LOG}
