"""The objects of a document that a source becomes, and what has no place in it."""

import re
from collections.abc import Hashable, Iterable
from typing import Any, NamedTuple, TypeGuard

from app.domain.errors import OstiaryError
from app.services import validation
from app.services.state.model import SECTIONS, Doc

MAX_LABEL = 100
"""Characters of a name from the source that a message has."""

_SECTION_OF = {kind: section for section, kind in SECTIONS.items()}


class UnreadableSource(OstiaryError):
    """A source that is not what it should be. Nothing of it is used."""


class Misfit(NamedTuple):
    """A thing of the source that is left out, or one field of it, and the reason in a sentence."""

    thing: str
    field: str
    reason: str

    def __str__(self) -> str:
        return f"{self.thing}: {self.field}: {self.reason}" if self.field else f"{self.thing}: {self.reason}"


class Translation:
    """The objects by the sections of a document, in which each name is there once, and the misfits."""

    def __init__(self) -> None:
        self.sections: dict[str, list[Doc]] = {section: [] for section in SECTIONS}
        self.misfits: list[Misfit] = []
        self._seen: set[Hashable] = set()

    def add(self, kind: str, value: Doc) -> bool:
        """Add an object, unless there is one of its name."""
        section = _SECTION_OF[kind]
        if (problem := next(validation.document_problems(value.get("metadata", {})), None)) is not None:
            self.leave_out(describe(section, value), problem.message, "metadata")
            del value["metadata"]
        if is_new := self.is_first(describe(section, value), kind, *identity(kind, value)):
            self.sections[section].append(value)
        return is_new

    def is_first(self, thing: str, *key: Hashable) -> bool:
        """Return whether this key is new, else add a misfit."""
        if key in self._seen:
            self.leave_out(thing, "Another one in the source has the same name.")
            return False
        self._seen.add(key)
        return True

    def leave_out(self, thing: str, reason: str, field: str = "") -> None:
        """Add a misfit."""
        self.misfits.append(Misfit(thing, field, reason))


def identity(kind: str, value: Doc) -> tuple[str, ...]:
    """Return the normalized natural key of an object of a document."""
    names = {"user": ("userName",), "org": ("slug",), "group": ("slug",), "resource": ("org", "slug")}
    return tuple(validation.normalize_key(value[name]) for name in names.get(kind, ("name",)))


def describe(section: str, value: Doc) -> str:
    """Return an object of a document by its kind and its name."""
    match section:
        case "users":
            return f"user {printable(value['userName'])}"
        case "resources":
            return f"resource {printable(value['org'])}/{printable(value['slug'])}"
        case "orgs" | "groups":
            return f"{section.removesuffix('s')} {printable(value['slug'])}"
        case _:
            return f"{'role' if section == 'roles' else 'resource type'} {printable(value['name'])}"


def printable(text: str) -> str:
    """Return a text of the source in a form that a terminal shows as it is."""
    text = text if len(text) <= MAX_LABEL else f"{text[:MAX_LABEL]}…"
    return text if text.isprintable() else ascii(text)[1:-1]


def is_text(value: Any) -> TypeGuard[str]:
    """Return whether a value is a text that is not empty."""
    return isinstance(value, str) and value != ""


def text_or_empty(value: Any) -> str:
    """Return a text as it is, and an empty one for any other value."""
    return value if isinstance(value, str) else ""


def title(text: str, otherwise: str) -> str:
    """Return a text as a name: in one line, with single spaces, cut to its longest; `otherwise` if nothing is left."""
    line = " ".join("".join(each if each.isprintable() else " " for each in text).split()) or otherwise
    return line if len(line) <= validation.MAX_TITLE else f"{line[: validation.MAX_TITLE - 1].rstrip()}…"


_NO_SLUG = re.compile(r"[^a-z0-9_]+")
_NO_NAME = re.compile(r"[^A-Za-z0-9]+")


def slug(text: str) -> str:
    """Return an id as a slug: in lower case, with `-` for all that a slug cannot have."""
    return _NO_SLUG.sub("-", text.lower()).strip("-_")


class UserNames:
    """The user names of a source, and those here.

    `plain` names are what is before the `@`, without all but letters and digits. Two users whose plain names are equal
    have none here, since the rights of one would be those of the other.
    """

    def __init__(self, names: Iterable[str], *, plain: bool) -> None:
        self._plain = plain
        self._users: dict[str, set[str]] = {}
        for name in names:
            self._users.setdefault(self._key(name), set()).add(validation.normalize_key(name))

    def local_name(self, name: str) -> str:
        """Return the name here. For a name that would become that of another user it is one that nobody has."""
        if self.is_ambiguous(name):
            return f"{name} (two users)"
        return self._shorten(name) if self._plain else name

    def is_ambiguous(self, name: str) -> bool:
        """Return whether another user of the source would have the same name here."""
        return self._plain and len(self._users.get(self._key(name), ())) > 1

    def _key(self, name: str) -> str:
        return validation.normalize_key(self._shorten(name) if self._plain else name)

    @staticmethod
    def _shorten(name: str) -> str:
        return _NO_NAME.sub("", name.partition("@")[0])
