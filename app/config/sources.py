"""What was written in the settings file and in the environment, by whom, and what is wrong with it.

pydantic-settings' own sources neither refuse an unknown variable nor name the one that holds a wrong value.
"""

import difflib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.alias_generators import to_pascal
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

PREFIX = "OSTIARY_"
FILE_VARIABLE = "OSTIARY_SETTINGS_FILE"
"""Names the settings file; not a setting itself. Workers learn from it what `ostiary serve --settings` was given."""

# Kubernetes sets these in every pod beside a service called "ostiary"; they are nobody's settings.
_SERVICE_LINK = re.compile(r"OSTIARY_(SERVICE_(HOST|PORT)(_\w+)?=|PORT_\d+_(TCP|UDP|SCTP)(_\w+)?=|PORT=\w+://)")

_HALF = re.compile(r"[\ud800-\udfff]")
"""Half a character; the environment gives bytes that are not UTF-8 in this form."""

_WORDS = {"model_type": "must be a JSON object", "tuple_type": "must be a JSON list of strings"}

SettingOrigin = tuple[str, ...]
"""A setting's place: the field's name, after its section's name if it has one."""


def fields(model: type[BaseModel], above: SettingOrigin = ()) -> Iterator[tuple[SettingOrigin, FieldInfo]]:
    """Every section and every setting of a model, by its place."""
    for name, field in model.model_fields.items():
        yield (*above, name), field
        if section := _section(field):
            yield from fields(section, (*above, name))


def key(where: SettingOrigin) -> str:
    """How the settings file spells what is at this place: `DefaultAdmin.Password`."""
    return ".".join(map(to_pascal, where))


def variable(where: SettingOrigin) -> str:
    """The environment variable that sets what is at this place: `OSTIARY_DEFAULT_ADMIN__PASSWORD`."""
    return PREFIX + "__".join(where).upper()


class _Object:
    """A JSON object as it was written: in pairs, so that a key written twice shows."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        self.pairs = pairs


class SettingsSource:
    """The values gathered so far, by place; what is read later stands over what was read before."""

    def __init__(self, known: Mapping[SettingOrigin, FieldInfo]) -> None:
        self.known = known
        self.values: dict[str, Any] = {}
        self.origins: dict[SettingOrigin, tuple[str, str]] = {}
        """For each place, how to name it in a message, and the file or variable that set it."""
        self.wrong: list[str] = []

    def file(self, path: Path) -> None:
        """Read a JSON file, whose keys are spelled as in `key`, in any letter case."""
        try:
            document = json.loads(path.read_text("utf-8-sig"), object_pairs_hook=_Object)
        except OSError as error:
            self.wrong.append(f"{path}: the settings file cannot be read: {error.strerror}")
        except (ValueError, RecursionError) as error:
            self.wrong.append(f"{path}: the settings file is not JSON: {error}")
        else:
            self._document(document, str(path))

    def _document(self, document: object, source: str) -> None:
        if isinstance(document, _Object):
            self._object(document, (), source)
        else:
            self.wrong.append(f"{source}: the settings file must hold one JSON object")

    def environment(self, variables: Mapping[str, str]) -> None:
        """Read the variables that begin with the prefix; a section may come whole as JSON, or key by key."""
        seen: dict[SettingOrigin, str] = {}
        # A section given whole comes before its single keys, which stand over it.
        for name in sorted(variables, key=lambda name: (name.count("__"), name)):
            upper, text = name.upper(), variables[name]
            if not upper.startswith(PREFIX) or upper == FILE_VARIABLE or _SERVICE_LINK.match(f"{upper}={text}"):
                continue
            where = tuple(upper.removeprefix(PREFIX).lower().split("__"))
            if self._accepts(where, name, upper.removeprefix(PREFIX), seen):
                self._put(where, self._decode(where, text), name, name)

    def _accepts(self, where: SettingOrigin, name: str, bare: str, seen: dict[SettingOrigin, str]) -> bool:
        if where not in self.known:
            nearest = self._nearest(bare, lambda place: variable(place).removeprefix(PREFIX))
            hint = f"did you mean {PREFIX}{nearest}?" if nearest else "`ostiary settings` lists all there are"
            self.wrong.append(f"{_plain(name)}: there is no such setting; {hint}")
        elif where in seen:
            self.wrong.append(
                f"{name}: is there twice, as {seen[where]} too; keep one, letter case makes no difference"
            )
        return where in self.known and seen.setdefault(where, name) == name

    def _decode(self, where: SettingOrigin, text: str) -> object:
        if not _section(self.known[where]) and get_origin(self.known[where].annotation) is not tuple:
            return text
        try:
            return json.loads(text, object_pairs_hook=_Object)
        except (ValueError, RecursionError):
            return text  # no object and no list: refused for its type

    def _object(self, written: _Object, above: SettingOrigin, source: str) -> None:
        seen: dict[SettingOrigin, str] = {}
        for spelled, value in written.pairs:
            dotted = ".".join([*map(to_pascal, above), spelled])
            name = f"{_plain(dotted)} in {source}"
            where = self._child(above, spelled)
            if where is None:
                nearest = self._nearest(dotted, key)
                hint = f"did you mean {nearest}?" if nearest else "`ostiary settings` lists all there are"
                self.wrong.append(f"{name}: there is no such setting; {hint}")
            elif where in seen:
                self.wrong.append(
                    f"{name}: is there twice, as {seen[where]} too; keep one, letter case makes no difference"
                )
            else:
                seen[where] = spelled
                self._put(where, value, name, source)

    def _child(self, above: SettingOrigin, spelled: str) -> SettingOrigin | None:
        children = (where for where in self.known if where[:-1] == above)
        return next((where for where in children if to_pascal(where[-1]).lower() == spelled.lower()), None)

    def _put(self, where: SettingOrigin, value: object, name: str, source: str) -> None:
        holder = self.values
        for part in where[:-1]:
            if not isinstance(holder.get(part), dict):
                holder[part] = {}
            holder = holder[part]
        if isinstance(value, _Object) and _section(self.known[where]):
            if not isinstance(holder.get(where[-1]), dict):
                holder[where[-1]] = {}
            self._object(value, where, source)
        elif isinstance(value, str) and _HALF.search(value):
            self.wrong.append(f"{name}: holds bytes that are no UTF-8, or half a character")
        else:
            holder[where[-1]] = value
            self.origins[where] = (name, source)

    def _nearest(self, given: str, spell: Callable[[SettingOrigin], str]) -> str | None:
        """Guess what was meant: a whole name, or a section's key without its section."""
        spelled: dict[str, str] = {}
        for where in self.known:
            spelled.setdefault(spell(where[-1:]).lower(), spell(where))
            spelled[spell(where).lower()] = spell(where)
        found = difflib.get_close_matches(given.lower(), spelled, n=1, cutoff=0.7)
        return spelled[found[0]] if found else None

    def explain(self, error: ErrorDetails) -> str:
        """One line about a refused value: its name as written, what is wrong, what would be right; never itself."""
        place = tuple(map(str, error["loc"]))
        where = next(place[:length] for length in range(len(place), 0, -1) if place[:length] in self.known)
        name, _ = self.origins.get(where, (key(where), ""))
        entry = "".join(f", entry {int(part) + 1}" for part in place[len(where) :])
        return f"{name}{entry}: {_what(error)}. {self.known[where].description}"


def _section(field: FieldInfo) -> type[BaseModel] | None:
    choices = (field.annotation, *get_args(field.annotation))
    return next((choice for choice in choices if isinstance(choice, type) and issubclass(choice, BaseModel)), None)


def _what(error: ErrorDetails) -> str:
    if "error" in error.get("ctx", {}):
        return str(error["ctx"]["error"])
    return _WORDS.get(error["type"]) or re.sub(r"^\w+ should ", "must ", error["msg"])


def _plain(name: str) -> str:
    return name if name.isprintable() else ascii(name)
