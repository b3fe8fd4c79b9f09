"""A document in the files of a folder, which are read in the order of their names, and written one for each section."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from app.services.state import file_writer, files, tables
from app.services.state.files import Format, Progress, silent
from app.services.state.model import KINDS, SECTIONS, Doc, Fault, Location, Reader


def is_hidden(path: Path) -> bool:
    """Return whether a file is left out without a word: editors and Git keep theirs so."""
    return path.name.startswith(".")


def is_document(path: Path) -> bool:
    """Return whether the name of a file ends like that of a document or of a table."""
    return files.format_of(path) is not None or tables.is_table(path)


def read(folder: Path, progress: Progress = silent, *, prune: bool = False) -> tuple[Reader, list[Path]]:
    """Read all documents and tables of a folder as one, and return the entries that are left out. Raises OSError.

    With `prune` a folder inside is a fault: what its files list would be removed.
    """
    reader, others, number = Reader(), list[Path](), 0
    for path in sorted(folder.iterdir(), key=lambda path: path.name):
        if is_hidden(path):
            continue
        if not path.is_file() and (is_document(path) or (prune and path.is_dir())):
            reader.faults.append(Fault(_unread(path), Location("", file=str(path))))
            continue
        if not is_document(path) or not path.is_file():
            others.append(path)
            continue
        number += 1
        first, reader.file = len(reader.faults), str(path)
        _read_file(reader, path, progress)
        reader.faults[first:] = [
            replace(fault, location=fault.location._replace(file=str(path))) for fault in reader.faults[first:]
        ]
    if not number and not reader.faults:
        reader.faults.append(Fault("The folder has no file that ends in .yaml, .jsonl or .csv.", Location("")))
    return reader, others


def _unread(path: Path) -> str:
    """Return why an entry that may have objects cannot be left out."""
    if path.is_dir():
        return "This is a folder, and folders inside are not read. Move it elsewhere."
    return "This has the ending of a document and is no file that can be read. Repair or remove it."


def _read_file(reader: Reader, path: Path, progress: Progress) -> None:
    form, table = files.format_of(path), tables.table_of(path)
    with path.open("rb") as file:
        if form is not None:
            files.read(file, form, reader, progress)
        elif table is not None:
            tables.read(reader, file, table, progress)
        else:
            names = ", ".join(f"{name}.csv" for name in tables.TABLES)
            reader.faults.append(Fault(f"Name the table after what it lists: {names}.", Location("")))


class FolderWriter:
    """Writes each section of a document to a file of its own."""

    def __init__(self, opened: Mapping[str, file_writer.Written], form: Format) -> None:
        self._writers = {kind: file_writer.Writer(opened[section], form) for section, kind in SECTIONS.items()}

    kinds = KINDS

    def write(self, kind: str, objects: Iterable[Doc]) -> None:
        """Write some objects of a kind."""
        self._writers[kind].write(kind, objects)

    def end(self) -> None:
        """Mark the end of each file."""
        for writer in self._writers.values():
            writer.end()


class TablesWriter:
    """Writes all tables, each to a file of its own."""

    def __init__(self, opened: Mapping[str, file_writer.Written], *, with_hashes: bool) -> None:
        self.tables = {name: tables.TableWriter(opened[name], name, with_hashes=with_hashes) for name in tables.TABLES}

    kinds = frozenset({"user", "org", "group"})

    def write(self, kind: str, objects: Iterable[Doc]) -> None:
        """Write the rows of some objects of a kind."""
        each = [*objects]
        for table in self.tables.values():
            table.write(kind, each)

    def end(self) -> None:
        """Write nothing: tables have no mark of their end."""
