"""Rules about the code, asked of the code itself."""

import ast
import re
from collections.abc import Iterator

from app.domain.errors import Problem
from app.domain.viewer import Permission
from app.graphql.schema import directives, payloads
from app.graphql.schema.types.audit import AuditObjectType
from app.services.audit.pruning import AUDIT_LOG
from app.services.entities import AUDITED
from tests.support.sources import HOME, trees

APIS = ("app/graphql/", "app/rest/", "app/http/", "app/main.py", "app/cli/")
TRANSACTION = re.compile(r"(BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE)\b")
MAX_LINES = 400
LONGEST_FUNCTION = 40


def test_only_the_database_package_begins_and_ends_a_transaction() -> None:
    names = {"begin", "begin_nested", "commit", "rollback", "savepoint"}
    paths = {
        path
        for path, tree in _of("app/").items()
        if names & _calls(tree) or any(TRANSACTION.match(text) for text in _texts(tree))
    }

    postgresql = {
        f"app/db/{name}.py"
        for name in ("copying/postgresql", "postgresql/connection", "postgresql/database", "postgresql/transaction")
    }
    sqlite = {
        f"app/db/{name}.py"
        for name in ("backups/sqlite", "copying/sqlite", "other_sqlite", "sqlite/database", "sqlite/group_commit")
    }
    # `traced` only names these statements in the spans of traces.
    assert paths == {*postgresql, *sqlite, "app/db/migrations/runner.py", "app/db/traced.py"}


def test_only_the_audit_log_opens_the_transaction_of_a_change() -> None:
    """Every change has an event: a service without a transaction opens one with `audit.transaction`.

    Failed passwords, the last use of an API token, the stored response of a REST call with an idempotency key and the
    write that readiness tries are no changes. Neither are the seals of the audit log, nor the removal of rows by which
    caches learn of changes.
    """
    paths = {path for path, tree in _of("app/").items() if ("database", "write") in _called(tree)}

    names = ("api_tokens", "audit/recorder", "audit/sealing", "login_throttle", "mutation_keys")
    services = {f"app/services/{name}.py" for name in names}
    assert paths == {"app/db/migrations/__init__.py", "app/db/access_changes_trim.py", *services}


def test_only_the_database_package_imports_a_driver() -> None:
    paths = {path for path, tree in _of("app/").items() if {"sqlite3", "asyncpg"} & _imported(tree)}

    assert {path for path in paths if not path.startswith("app/db/")} == set()
    assert len(paths) > 5


def test_there_is_one_lru() -> None:
    paths = {path for path, tree in _of("app/").items() if {"OrderedDict", "popitem"} & {*_names(tree), *_calls(tree)}}

    assert paths == {"app/caching.py"}


def test_moments_are_written_in_one_place() -> None:
    """A line of the log has a form of its own."""
    paths = {path for path, tree in _of("app/").items() if {"isoformat", "strftime"} & _calls(tree)}

    assert paths == {"app/db/types.py", "app/observability/logs.py"}


def test_no_api_builds_a_query() -> None:
    paths = {path for path, tree in _of(*APIS).items() if {"sqlalchemy", "sqlmodel"} & _imported(tree)}

    assert paths == set()


def test_no_api_reads_from_the_database_itself() -> None:
    """Lists are read by `query.reader` and the plans; every other read belongs to a service."""
    asking = {"ask", "read", "row", "rows", "value", "execute_many", "insert", "update", "update_many", "delete_many"}
    owners = {"database", "tx"}
    calls = {
        (path, name)
        for path, tree in _of(*APIS).items()
        for of, name in _called(tree)
        if of in owners and name in asking
    }

    assert calls == set()


def test_a_viewer_with_permissions_is_created_by_authentication_alone() -> None:
    """A viewer from elsewhere would lack the scope of their token; `Viewer.permission_profile` keeps it."""
    makes = {
        path
        for path, tree in _of("app/").items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Viewer"
        if len(node.args) + len(node.keywords) > 1
    }

    allowed = {"app/services/session.py", "app/services/demo/__init__.py", "app/domain/viewer.py"}
    assert makes == {"app/security/authentication.py", *allowed}


def test_every_module_says_what_it_is() -> None:
    assert [path for path, tree in trees().items() if not ast.get_docstring(tree)] == []


def test_no_file_is_too_long() -> None:
    lengths = {path: len((HOME / path).read_text().splitlines()) for path in trees()}

    assert {path: length for path, length in lengths.items() if length > MAX_LINES} == {}


def test_no_function_is_too_long() -> None:
    lengths = {
        f"{path}:{node.lineno} {node.name}": (node.end_lineno or 0) - node.lineno + 1
        for path, tree in trees().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }

    assert {name: length for name, length in lengths.items() if length > LONGEST_FUNCTION} == {}


def test_every_permission_has_its_name_in_the_api_in_the_same_order() -> None:
    assert [each.name for each in directives.Permission] == [each.name for each in Permission]


def test_every_kind_of_object_in_the_audit_log_has_its_name_in_the_api() -> None:
    assert {kind.value for kind in AuditObjectType} == {*AUDITED, AUDIT_LOG}


def test_every_problem_has_its_code_and_its_type_in_the_api() -> None:
    problems = {kind for kind in _kinds(Problem) if "code" in vars(kind)}

    assert set(payloads.PROBLEM_TYPES) == problems
    assert {each.name for each in payloads.ErrorCode} == {each.code for each in problems}
    assert {problem_type.__name__ for problem_type in payloads.PROBLEM_TYPES.values()} == {
        each.__name__ for each in problems
    }


def _of(*starts: str) -> dict[str, ast.Module]:
    return {path: tree for path, tree in trees().items() if path.startswith(starts)}


def _calls(tree: ast.AST) -> set[str]:
    """Return the names of all methods that are called."""
    return {name for _, name in _called(tree)}


def _called(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Yield every method that is called, after the last name of its owner."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            of = node.func.value
            yield of.id if isinstance(of, ast.Name) else getattr(of, "attr", ""), node.func.attr


def _names(tree: ast.AST) -> Iterator[str]:
    return (node.id for node in ast.walk(tree) if isinstance(node, ast.Name))


def _texts(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def _imported(tree: ast.AST) -> set[str]:
    """Return the packages that are imported."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {each.name.partition(".")[0] for each in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.partition(".")[0])
    return names


def _kinds(base: type[Problem]) -> Iterator[type[Problem]]:
    for kind in base.__subclasses__():
        yield kind
        yield from _kinds(kind)
