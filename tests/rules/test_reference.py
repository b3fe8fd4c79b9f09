"""The tables of docs/reference are printed from the code, and they are complete."""

import argparse
import re
from pathlib import Path

import httpx
import pytest

from app import cli, rest
from app.config import HIDDEN, Settings
from app.domain import errors
from app.domain.viewer import Permission
from app.graphql import schema
from app.observability.metrics import FAMILIES
from scripts.reference_tables import BLOCKS, FOLDER, block_names, updated
from scripts.reference_tables.metrics import LABELS
from tests.support.server import METRICS, Server

PAGES = sorted(FOLDER.glob("*.md"))
LISTED = {"kind", "limit", "api", "credential", "reason", "executor", "result", "state"}
"""Labels whose values are listed one by one."""

STATUSES = {"2xx", "3xx", "4xx", "5xx", "none"}

OPEN = ("ostiary_operations_total", "reason")
"""The label of a family whose values are described only."""

METRIC = re.compile(r"\bostiary_[a-z_]+_(?:total|seconds|bytes|jobs|connections|progress|bucket|sum|count)\b")
SAMPLE = re.compile(r"^(\w+)(?:\{(.*)\})? ", re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_generated_blocks_are_up_to_date(page: Path) -> None:
    text = page.read_text()

    assert updated(text) == text, f"docs/reference/{page.name} is out of date: run scripts/reference and commit it"


def test_every_block_is_on_one_page() -> None:
    assert sorted(name for page in PAGES for name in block_names(page.read_text())) == sorted(BLOCKS)


def test_an_outdated_block_is_replaced_and_the_rest_of_the_page_stays() -> None:
    page = "before\n<!-- generated: permissions -->\nold\n<!-- end -->\nafter\n"

    assert updated(page) == f"before\n<!-- generated: permissions -->\n{BLOCKS['permissions']()}\n<!-- end -->\nafter\n"


def test_every_setting_is_listed_with_its_variable_its_default_and_its_meaning() -> None:
    rows = _rows("settings")
    for key, each in Settings().describe().items():
        default = "password" if each.value == HIDDEN else each.value
        assert [f"`{key}`", f"`{each.variable}`", f"`{default}`", each.description] in rows


def test_every_code_is_listed_where_it_is_found() -> None:
    rows = {(row[0], row[1]) for row in _rows("codes")}

    assert {(f"`{kind.code}`", "top") for kind in errors.Refusal.__subclasses__()} <= rows
    assert {(f"`{kind.code}`", "`errors` of a payload") for kind in errors.Problem.__subclasses__()} <= rows


def test_every_permission_is_listed() -> None:
    assert {f"`{each.name}`" for each in Permission} == {row[0] for row in _rows("permissions")}


def test_every_command_and_each_of_its_options_is_listed() -> None:
    listed, options = {row[0] for row in _rows("commands")}, {(row[0], row[1]) for row in _rows("options")}
    choices = next(each for each in cli._parser()._actions if isinstance(each, argparse._SubParsersAction)).choices

    assert {name.split()[1].strip("`") for name in listed} == set(choices)
    assert ("`ostiary serve`", "`--workers WORKERS`") in options
    assert ("`ostiary keys rotate`", "`--revoke`") in options


def test_every_operation_of_rest_is_listed() -> None:
    assert {(f"`{each.method}`", f"`{each.path}`") for each in rest.TABLE} == {
        (row[0], row[1]) for row in _rows("rest") if row[0] != "method"
    }


@pytest.mark.parametrize(("block", "kind"), [("queries", "Query"), ("mutations", "Mutation")])
def test_every_query_and_mutation_is_listed(block: str, kind: str) -> None:
    fields: dict[str, object] = schema.core().type_map[kind].fields  # type: ignore[attr-defined]  # both are objects

    assert {f"`{name}`" for name in fields} == {row[0] for row in _rows(block)}


def test_every_metric_is_listed() -> None:
    assert {f"`{name}`" for name in FAMILIES} == {row[0] for row in _rows("metrics")}


def test_a_server_shows_the_labels_that_are_listed(tmp_path: Path) -> None:
    with Server(tmp_path) as server:
        server.ready()
        with httpx.Client(base_url=server.address, trust_env=False) as client:
            first = _labels(client.get("/metrics", headers={"authorization": f"Bearer {METRICS}"}).text)
            client.post("/graphql", json={"query": "{ viewer { user { id } } }"})
            client.post("/users/authenticate", data={"username": "admin", "password": "wrong"})
            client.get("/version", headers={f"x-{number}": "1" for number in range(300)})
            text = client.get("/metrics", headers={"authorization": f"Bearer {METRICS}"}).text

    labels = _labels(text)
    assert {"ostiary_limits_exceeded_total", "ostiary_sign_ins_refused_total", "ostiary_errors_total"} <= set(labels)
    assert {family: set(each) for family, each in labels.items()} == {
        family: set(LABELS.get(family, ())) for family in labels
    }
    unlisted = [
        f'{family}: {label}="{value}"'
        for family, each in labels.items()
        for label, values in each.items()
        for value in values
        if f"`{value}`" not in LABELS[family][label] and label in LISTED and (family, label) != OPEN
    ]
    assert unlisted == []
    assert _missing(first) == [], "a counter begins at 0, so that its first event is an increase"


@pytest.mark.parametrize("page", [*PAGES, *sorted(FOLDER.parent.glob("*.md"))], ids=lambda page: page.name)
def test_every_metric_that_a_page_names_exists(page: Path) -> None:
    named = {re.sub("_(bucket|sum|count)$", "", name) for name in METRIC.findall(page.read_text())}

    assert {name for name in named if name not in FAMILIES} == set()


def _labels(text: str) -> dict[str, dict[str, set[str]]]:
    """Return the values of each label of each family in a text of /metrics."""
    labels: dict[str, dict[str, set[str]]] = {}
    for name, pairs in SAMPLE.findall(text):
        of_family = labels.setdefault(re.sub("_(bucket|sum|count)$", "", name) if name not in FAMILIES else name, {})
        for label, value in re.findall(r'(\w+)="([^"]*)"', pairs):
            of_family.setdefault(label, set()).add(value)
    return labels


def _missing(labels: dict[str, dict[str, set[str]]]) -> list[str]:
    """Return the listed values of the labels of counters for which there is no sample."""
    codes = {row[0].strip("`") for row in _rows("codes")}
    expected = {
        (family, label): {*re.findall("`(\\w+)`", each[label])} for family, each in LABELS.items() for label in each
    }
    expected |= {("ostiary_errors_total", "code"): codes, ("ostiary_requests_total", "status"): STATUSES}
    return [
        f'{family}: {label}="{value}"'
        for (family, label), values in expected.items()
        if FAMILIES[family].kind == "counter" and family != OPEN[0]
        for value in sorted(values - labels.get(family, {}).get(label, set()))
    ]


def _rows(block: str) -> list[list[str]]:
    """Return the rows of the tables of a block as its page shows them, without their heads."""
    text = next(page for page in map(Path.read_text, PAGES) if f"<!-- generated: {block} -->" in page)
    content = text.partition(f"<!-- generated: {block} -->\n")[2].partition("<!-- end -->")[0]
    lines = [line for line in content.splitlines() if line.startswith("| ") and not line.startswith("| ---")]
    rows = [re.split(r" (?<!\\)\| ", line.removeprefix("| ").removesuffix(" |")) for line in lines]
    return [[text.strip() for text in row] for row in rows[1:]]
