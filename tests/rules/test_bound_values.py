"""Claims about the bound values of statements: ids have 64 bits, also where PostgreSQL would take a smaller type."""

import ast
from pathlib import Path

APP = Path(__file__).parents[2] / "app"
SMALL = {"free", "held", "limit", "maximum", "number", "remaining", "size", "slot"}
"""Names of values that are numbers of rows or places."""


def test_no_id_is_bound_as_a_small_integer() -> None:
    small = set()
    for path in APP.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "bindparam":
                types = [ast.unparse(each.value) for each in node.keywords if each.arg == "type_"]
                if types == ["Integer()"]:
                    small.add(ast.literal_eval(node.args[0]))
    assert small == SMALL
