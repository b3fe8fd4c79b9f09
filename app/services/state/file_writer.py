"""Writing documents object by object, in the forms that `files` reads."""

from collections.abc import Collection, Iterable
from typing import Protocol

import orjson

from app.services.state.files import END, HAS_END, HEADER, SECTION_OF, Format
from app.services.state.model import KINDS, VERSION, Doc
from app.services.state.yaml_text import block


class Written(Protocol):
    """A file to write."""

    def write(self, text: str, /) -> object:
        """Write a text."""


class ObjectWriter(Protocol):
    """A writer of the objects of the registry, in the order of a document."""

    @property
    def kinds(self) -> Collection[str]:
        """Return the kinds that are written."""

    def write(self, kind: str, objects: Iterable[Doc], /) -> None:
        """Write some objects of a kind."""

    def end(self) -> None:
        """Mark the end, after the last object."""


class Writer:
    """Writes a document object by object."""

    def __init__(self, file: Written, form: Format) -> None:
        self._file, self._form, self._section = file, form, ""
        if form is Format.YAML:
            file.write(f"version: {VERSION}\n{HAS_END}: true\n")
        else:
            self._write_line({"kind": HEADER, "version": VERSION, HAS_END: True})

    @property
    def kinds(self) -> Collection[str]:
        """Return all kinds."""
        return KINDS

    def write(self, kind: str, objects: Iterable[Doc]) -> None:
        """Write some objects of a kind. All objects of one kind come one after the other."""
        for each in objects:
            if self._form is Format.JSONL:
                self._write_line({"kind": kind, **each})
                continue
            if self._section != kind:
                self._section = kind
                self._file.write(f"{SECTION_OF[kind]}:\n")
            first, *rest = block(each, "    ")
            self._file.write("\n".join([f"  - {first[4:]}", *rest, ""]))

    def end(self) -> None:
        """Write the mark without which a document was cut off."""
        if self._form is Format.YAML:
            self._file.write(f"{END}: true\n")
        else:
            self._write_line({"kind": END})

    def _write_line(self, value: Doc) -> None:
        self._file.write(orjson.dumps(value).decode() + "\n")
