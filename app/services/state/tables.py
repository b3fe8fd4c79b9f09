"""Tables as CSV (RFC 4180): users, orgs, groups and memberships, one table a file, for spreadsheets.

A column is a field of the declared state. A row says the value of each column, and an empty cell is the empty value.
A spreadsheet takes a cell that begins with = for a formula, so such a text is written with an apostrophe before it.
"""

import csv
import difflib
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any, NamedTuple

import orjson

from app.services.state.file_writer import Written
from app.services.state.files import Progress, parse_json, silent
from app.services.state.model import FIELDS, Doc, Fault, Field, Invalid, Location, Reader

SUFFIX = ".csv"

MAX_CELL = 1_000_000
"""Characters of a cell."""

SEPARATOR = ";"
"""The character between several values of one cell."""


class Table(NamedTuple):
    """A table: the kind of the pages that it is made of, the list inside of an object that it has, and its columns."""

    kind: str
    parts: str
    columns: tuple[str, ...]


def _table(kind: str, *, of_members: bool = False) -> Table:
    shape = f"{kind}MemberRow" if of_members else kind
    return Table(kind, "members" if of_members else "", tuple(name for name in FIELDS[shape] if name != "members"))


TABLES = {
    "users": _table("user"),
    "orgs": _table("org"),
    "orgMembers": _table("org", of_members=True),
    "groups": _table("group"),
    "groupMembers": _table("group", of_members=True),
}
"""The tables by their names, which are the names of their files."""

_FLAGS = frozenset({"isServiceAccount", "isPublic", "isManager"})
_LISTS, _OBJECTS, _NUMBERS = frozenset({"roles"}), frozenset({"metadata"}), frozenset({"quotaBytes"})
_NEVER_EMPTY = frozenset({"passwordHash", "roles"})
"""Columns whose empty cell says nothing: there is no empty hash, and no roles are `;`.

An empty cell that took all roles would also take `deactivated`, and so let a user in again.
"""

_FORMULA = re.compile(r"'*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
"""The beginning of a text that spreadsheets may take for a formula, with the apostrophes of earlier protection."""

_QUOTED = re.compile(r'[",;\t\r\n]|^ | $')
"""Cells in quotes: also those with a semicolon or a tab, which separate cells in some countries."""


def table_of(path: Path) -> str | None:
    """Return the table that the name of a file says, such as `users.csv` or `2026-users.csv`; None for another name."""
    if not is_table(path):
        return None
    last = re.split(r"[-_ .]", path.stem)[-1].casefold()
    return next((name for name in TABLES if name.casefold() == last), None)


def is_table(path: Path) -> bool:
    """Return whether the name of a file ends like that of a table."""
    return path.suffix.lower() == SUFFIX


def read(reader: Reader, file: IO[bytes], name: str, progress: Progress = silent) -> None:
    """Read a table into a reader, with its faults."""
    data = file.read()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        reader.faults.append(Fault("This is not UTF-8. Save the table as CSV in UTF-8.", Location("", line)))
        return
    limit = csv.field_size_limit(MAX_CELL)
    try:
        _read_rows(reader, text, name, progress)
    finally:
        csv.field_size_limit(limit)


def _read_rows(reader: Reader, text: str, name: str, progress: Progress) -> None:
    table, columns, number = TABLES[name], list[str](), 0
    for line, cells in _rows(reader, text):
        if not columns:
            columns = [each.strip() for each in cells]
            if faults := [*_header_faults(columns, name, line)]:
                reader.faults += faults
                return
            continue
        location = Location(f"{name}[{number}]", line)
        number += 1
        if len(cells) != len(columns):
            message = f"This row has {len(cells)} cells, and the header has {len(columns)} columns."
            reader.faults.append(Fault(message, location))
            continue
        try:
            value = _parse_row(FIELDS[_shape(name)], columns, cells)
        except Invalid as error:
            reader.faults.append(Fault(str(error), location.at(error.part)))
            continue
        (reader.add_member if table.parts else reader.add)(table.kind, value, location)
        progress("read rows", number)
    if not columns and not reader.faults:
        reader.faults.append(Fault(f"The table is empty. Its first line names columns of {name}.", Location("")))


def _rows(reader: Reader, text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the number of the first line and the cells of each row that is not empty."""
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    line = 1
    while True:
        try:
            cells = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            reader.faults.append(Fault(f"This is not CSV: {error}.", Location("", line)))
            return
        if any(cells):
            yield line, cells
        line = rows.line_num + 1


def _header_faults(columns: list[str], name: str, line: int) -> Iterator[Fault]:
    names = TABLES[name].columns
    place = Location(name, line)
    if len(columns) == 1 and (other := next((each for each in ";\t|" if each in columns[0]), "")):
        character = "tabs" if other == "\t" else f"`{other}`"
        yield Fault(f"The columns are separated by {character}. Save the table with commas.", place)
        return
    for at, column in enumerate(columns):
        if column not in names:
            folded = {each.casefold(): each for each in names}
            near = difflib.get_close_matches(column.casefold(), folded, n=1, cutoff=0.6)
            hint = f"Did you mean `{folded[near[0]]}`?" if near else f"The columns are {', '.join(names)}."
            yield Fault(f"There is no column `{column}` in {name}. {hint}", place)
        elif column in columns[:at]:
            yield Fault(f"The column `{column}` is listed twice. Remove one of them.", place)
    for column, declared in FIELDS[_shape(name)].items():
        if declared.is_required and column not in columns:
            yield Fault(f"The column `{column}` is missing.", place)


def _shape(name: str) -> str:
    table = TABLES[name]
    return f"{table.kind}MemberRow" if table.parts else table.kind


def _parse_row(fields: Mapping[str, Field], columns: list[str], cells: list[str]) -> Doc:
    texts = dict(zip(columns, cells, strict=True))
    return {
        column: _parse(fields[column], column, text)
        for column, text in texts.items()
        if text.strip() or column not in _NEVER_EMPTY
    }


def _parse(declared: Field, column: str, text: str) -> Any:
    """Return the value of a cell. A cell of a wrong form stays a text, which its field refuses."""
    if text[:1] == "'" and _FORMULA.match(text):
        text = text[1:]
    if column in _LISTS:
        return _split(text)
    if column in _OBJECTS:
        return _parse_object(column, text)
    if column in _FLAGS:
        return {"": False, "false": False, "true": True}.get(text.strip().lower(), text)
    if column in _NUMBERS and re.fullmatch(r"\d{1,20}", text.strip(), re.ASCII):
        return int(text)
    return None if text == "" and declared.can_be_null else text


def _parse_object(column: str, text: str) -> Any:
    try:
        return parse_json(text.encode()) if text else {}
    except ValueError as error:
        raise Invalid(f"This must be a JSON object, or empty: {error}.", column) from None


_PARTS = re.compile(r"\\([\\;])|([^\\;]+|.)", re.DOTALL)
"""A part of a cell with several values: an escaped character, or a text without them, or one character."""


def _split(text: str) -> list[str]:
    """Return the values of a cell. A backslash before `;` or a backslash takes it as it is; any other is a text."""
    values = [""]
    for escaped, other in _PARTS.findall(text):
        if other == SEPARATOR:
            values.append("")
        else:
            values[-1] += escaped or other
    return [each.strip(" ") for each in values if each.strip(" ")]


def _join(values: list[str]) -> str:
    """Return one cell. A single value with a space ends with the separator, so that no reader splits it."""
    text = SEPARATOR.join(re.sub(r"([\\;])", r"\\\1", each) for each in values)
    return text if SEPARATOR in text or (text and not re.search(r"\s", text)) else text + SEPARATOR


_WRITTEN: dict[type, Callable[[Any], str]] = {
    bool: lambda value: "true" if value else "false",
    list: _join,
    dict: lambda value: orjson.dumps(value).decode() if value else "",
    type(None): lambda _: "",
}


def _encode(value: Any) -> str:
    text = _WRITTEN.get(type(value), str)(value)
    text = f"'{text}" if _FORMULA.match(text) else text
    return '"' + text.replace('"', '""') + '"' if _QUOTED.search(text) else text


class TableWriter:
    """Writes a table row by row, with the number of its rows."""

    def __init__(self, file: Written, name: str, *, with_hashes: bool) -> None:
        self._file, self._table, self.rows = file, TABLES[name], 0
        self._columns = [each for each in self._table.columns if with_hashes or each != "passwordHash"]
        self._write(self._columns)

    @property
    def kinds(self) -> frozenset[str]:
        """Return the kinds of objects that the table is made of."""
        return frozenset({self._table.kind})

    def write(self, kind: str, objects: Iterable[Doc]) -> None:
        """Write the rows of some objects of a kind, none for another kind."""
        for each in objects if kind == self._table.kind else ():
            parts = [each] if not self._table.parts else [{kind: each["slug"], **part} for part in each["members"]]
            for row in parts:
                self.rows += 1
                self._write([row.get(column, False if column in _FLAGS else None) for column in self._columns])

    def end(self) -> None:
        """Write nothing: a table has no mark of its end."""

    def _write(self, values: Iterable[Any]) -> None:
        self._file.write(",".join(map(_encode, values)) + "\r\n")
