"""The decision records have one form, one number each, a line in the index, and name files that exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs/decisions"
INDEX = (FOLDER / "index.md").read_text()
RECORDS = sorted(FOLDER.glob("[0-9]*.md"))

PARTS = ["Context", "Decision", "Consequences", "Alternatives", "Guard"]
MEASUREMENT = "Measurement"
"""A part that a record about speed has after its context."""

MAX_LINES = 40

ENFORCED = True
"""True if every file that a record names must exist. The records name the modules of the new tree."""

PATH = re.compile(r"`((?:app|tests|docs|scripts)/[\w./*-]+)(?: [^`]*)?`")


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.stem[:4])
def test_a_record_has_every_part_once_and_in_order(record: Path) -> None:
    text = record.read_text()

    parts = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert parts in (PARTS, [PARTS[0], MEASUREMENT, *PARTS[1:]])
    assert all(part.strip() for part in re.split(r"^## .+\n", text, flags=re.MULTILINE))
    assert len(text.splitlines()) <= MAX_LINES


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.stem[:4])
def test_the_title_begins_with_the_number_of_the_file(record: Path) -> None:
    assert re.fullmatch(rf"# {record.stem[:4]} \S.*", record.read_text().splitlines()[0])
    assert re.fullmatch(r"\d{4}-[a-z0-9-]+", record.stem)


def test_no_number_occurs_twice() -> None:
    numbers = [record.stem[:4] for record in RECORDS]

    assert len(numbers) > 50
    assert len(set(numbers)) == len(numbers)


def test_the_index_lists_every_record_once_with_its_title() -> None:
    listed = re.findall(r"^- \[(\d{4})\]\((\S+\.md)\) (.+)$", INDEX, re.MULTILINE)
    titles = [(record.stem[:4], record.name, record.read_text().splitlines()[0][7:]) for record in RECORDS]

    assert sorted(listed) == titles


def test_a_number_in_the_text_is_that_of_a_record() -> None:
    numbers = {record.stem[:4] for record in RECORDS}
    named = {
        (record.name, number)
        for record in RECORDS
        for sentence in re.findall(r"[Rr]ecords? [^.;]*", record.read_text())
        for number in re.findall(r"\b0\d{3}\b", sentence)
    }

    assert named
    assert {each for each in named if each[1] not in numbers} == set()


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.stem[:4])
def test_every_file_that_a_record_names_exists(record: Path) -> None:
    paths = PATH.findall(record.read_text())

    assert any(path.startswith(("tests/", "scripts/")) for path in paths)
    if ENFORCED:
        assert [path for path in paths if not any(ROOT.glob(path.rstrip("/")))] == []
