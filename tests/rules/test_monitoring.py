"""The alert rules and the dashboard of docs/monitoring use only metrics and labels that a server exports."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]  # it has no annotations

from app.observability.metrics import FAMILIES
from scripts.reference_tables.metrics import LABELS

FOLDER = Path(__file__).parents[2] / "docs/monitoring"
RULES = FOLDER / "alerts.yaml"

METRIC = re.compile(r"\b([a-z][a-z_0-9]*)\b(?:\{([^}]*)\})?(?! *[=~])")
"""Matches a name with its selector."""

OF_PROMETHEUS = {"instance", "job"}
"""Labels that Prometheus adds to every sample."""

WORDS = {"sum", "max", "by", "rate", "increase", "deriv", "time", "or", "up", "histogram_quantile"}
"""Functions and operators of PromQL that the expressions use, and the metric of Prometheus itself."""

DESCRIBED_ONLY = {"status": {"2xx", "3xx", "4xx", "5xx", "none"}}
"""Values of labels that the reference describes as a range."""


def _rules() -> list[dict[str, str]]:
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def _expressions() -> Iterator[tuple[str, str]]:
    for rule in _rules():
        yield rule["alert"], rule["expr"]
    for panel in json.loads((FOLDER / "dashboard.json").read_text())["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target["expr"]


def _problems(expression: str) -> list[str]:
    """Return the metrics, labels and values of labels of an expression that no server exports."""
    problems: list[str] = []
    used: set[str] = set()
    for name, selector in METRIC.findall(re.sub(r"\[[^]]*\]", "", expression)):
        family = re.sub("_(bucket|sum|count)$", "", name) if name not in FAMILIES else name
        if family in FAMILIES:
            used.add(family)
            problems += _wrong_labels(family, selector)
    labels = {label for grouping in re.findall(r"by \(([^)]*)\)", expression) for label in grouping.split(", ")}
    exported = OF_PROMETHEUS.union(*(LABELS.get(family, {}) for family in used))
    names = {*re.findall(r"\b[a-z][a-z_]*\b", re.sub(r"\{[^}]*\}|\[[^]]*\]|by \([^)]*\)", "", expression))}
    unknown = {name for name in names if re.sub("_(bucket|sum|count)$", "", name) not in FAMILIES}
    return [*problems, *(labels - exported), *(unknown - WORDS)]


def _wrong_labels(family: str, selector: str) -> Iterator[str]:
    listed = LABELS.get(family, {})
    for label, value in re.findall(r'(\w+)=~?"([^"]*)"', selector):
        if label in OF_PROMETHEUS:
            continue
        values = DESCRIBED_ONLY.get(label) or {*re.findall(r"`(\w+)`", listed.get(label, ""))}
        if value not in values:
            yield f'{family}: {label}="{value}"'


@pytest.mark.parametrize(("name", "expression"), list(_expressions()))
def test_an_expression_names_what_a_server_exports(name: str, expression: str) -> None:
    assert _problems(expression) == []


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        ("rate(ostiary_worker_deaths_total[5m])", "ostiary_worker_deaths_total"),
        ("sum by (cause) (ostiary_errors_total)", "cause"),
        ('ostiary_database_size_bytes{file="log"} > 1', 'ostiary_database_size_bytes: file="log"'),
        ('ostiary_workers{face="rest"}', 'ostiary_workers: face="rest"'),
    ],
)
def test_a_wrong_name_is_noticed(expression: str, problem: str) -> None:
    assert problem in _problems(expression)


def test_an_alert_says_what_is_wrong_and_what_to_do() -> None:
    names = [rule["alert"] for rule in _rules()]

    assert len(names) == len(set(names))
    for rule in _rules():
        assert set(rule["annotations"]) == {"summary", "description"}, rule["alert"]


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
def test_promtool_accepts_the_rules() -> None:
    ended = subprocess.run(["promtool", "check", "rules", str(RULES)], capture_output=True, text=True, check=False)

    assert ended.returncode == 0, ended.stdout + ended.stderr
