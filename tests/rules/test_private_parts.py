"""Claims about private parts of dependencies: each is used only where docs/decisions/0193-private-parts.md says."""

import re
import tomllib
from pathlib import Path

import pytest

from tests.support.sources import files

HOME = Path(__file__).parents[2]
TEXTS = {path.relative_to(HOME).as_posix(): path.read_text() for path in files(HOME / "app") if path.suffix == ".py"}
BOUNDED = {"asyncpg", "graphql-core", "sqlalchemy[asyncio]", "strawberry-graphql", "uvicorn"}

PARTS = {
    r"uvicorn\.protocols": {
        "app/http/fastpath/closing.py",
        "app/http/fastpath/exchange.py",
        "app/http/fastpath/protocol.py",
    },
    r"uvicorn\.supervisors": {"app/http/supervisor.py"},
    r"def capture_signals": {"app/http/listener.py"},
    r"\._transport\b": {"app/db/postgresql/connection.py"},
    r"\bSCHEMA\.(_schema|schema_converter)": {"app/graphql/schema/__init__.py"},
    r"strawberry-definition|__strawberry_definition__": {
        "app/graphql/schema/decorators.py",
        "app/graphql/coercion/arguments.py",
        "app/graphql/compiled/type_info.py",
        "app/graphql/schema/__init__.py",
        "app/graphql/coercion/inputs.py",
        "app/graphql/schema/fields.py",
        "app/graphql/schema/enums.py",
        "app/graphql/schema/instances.py",
        "app/graphql/schema/outcomes.py",
        "app/graphql/schema/payloads.py",
        "app/graphql/schema/new_edges.py",
    },
    r"strawberry\.types\.(?!Info)": {
        "app/graphql/coercion/inputs.py",
        "app/graphql/schema/decorators.py",
        "app/graphql/schema/fields.py",
        "app/graphql/schema/outcomes.py",
        "app/graphql/schema/scalars.py",
    },
    r"graphql\.execution\.incremental": {"app/graphql/serial_executor.py"},
    r"graphql\.execution\.collect_fields": {"app/graphql/compiled/planner.py", "app/graphql/handler.py"},
    r"\b(get_variable_signature|coerce_default_value|print_path_list)\b": {
        "app/graphql/coercion/literals.py",
        "app/graphql/coercion/fast.py",
        "app/graphql/coercion/variables.py",
    },
    r"\._generate_cache_key|\._result_columns|\b_check=|\.positiontup": {"app/db/statements.py"},
}


@pytest.mark.parametrize("pattern", PARTS)
def test_a_private_part_is_used_only_where_its_record_says(pattern: str) -> None:
    users = {path for path, text in TEXTS.items() if re.search(pattern, text)}

    assert users == PARTS[pattern], "see docs/decisions/0193-private-parts.md"


def test_no_other_private_attribute_of_a_dependency_is_used() -> None:
    """Ruff reports each use of a private name of another object; each one that is allowed has a mark."""
    marked = {path for path, text in TEXTS.items() if "noqa: SLF001" in text}

    assert marked == {"app/cli/completion.py", "app/db/statements.py", "app/graphql/schema/__init__.py"}, (
        "see docs/decisions/0193-private-parts.md"
    )


def test_a_dependency_with_a_private_part_has_an_upper_bound() -> None:
    project = tomllib.loads((HOME / "pyproject.toml").read_text())["project"]

    bounds = {re.split(r"[<>=]", text)[0]: text for text in project["dependencies"]}

    assert set(bounds) >= BOUNDED
    assert {name for name in BOUNDED if "<" not in bounds[name]} == set()
