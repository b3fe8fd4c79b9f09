"""The settings of the file and of the environment, with the origin of each value and all problems.

The sources of pydantic-settings are not used: they neither reject an unknown variable nor name the one with an invalid
value.
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
"""Environment variable with the path of the settings file. `ostiary serve --settings` sets it for the workers."""

# Kubernetes sets these variables in the pods of a namespace with a service "ostiary"; they are no settings.
_SERVICE_LINK = re.compile(r"OSTIARY_(SERVICE_(HOST|PORT)(_\w+)?=|PORT_\d+_(TCP|UDP|SCTP)(_\w+)?=|PORT=\w+://)")

_SURROGATE = re.compile(r"[\ud800-\udfff]")
"""A lone surrogate. `os.environ` has one for each byte that is not UTF-8."""

_MESSAGES = {"model_type": "must be a JSON object", "tuple_type": "must be a JSON list of strings"}
"""Messages for types of errors of pydantic."""

SettingPath = tuple[str, ...]
"""Path of a setting in the model: the name of its field, after the name of its section if it has one."""


def fields(model: type[BaseModel], parent: SettingPath = ()) -> Iterator[tuple[SettingPath, FieldInfo]]:
    """Yield every section and every setting of a model with its path."""
    for name, field in model.model_fields.items():
        yield (*parent, name), field
        if section := _section(field):
            yield from fields(section, (*parent, name))


def key(path: SettingPath) -> str:
    """Return the name of a setting in the settings file, such as `DefaultAdmin.Password`."""
    return ".".join(map(to_pascal, path))


def variable(path: SettingPath) -> str:
    """Return the environment variable of a setting, such as `OSTIARY_DEFAULT_ADMIN__PASSWORD`."""
    return PREFIX + "__".join(path).upper()


class _Object:
    """A JSON object as pairs, so that a repeated key is noticed."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        self.pairs = pairs


class SettingsSource:
    """Values read so far. A later source takes precedence over an earlier one."""

    def __init__(self, fields: Mapping[SettingPath, FieldInfo], overrides: Mapping[str, object] | None = None) -> None:
        self.fields = fields
        self._overrides = overrides or {}
        self.values: dict[str, Any] = dict(self._overrides)
        self.origins: dict[SettingPath, tuple[str, str]] = {}
        """For each path, the name for messages, and the file or variable that set it."""
        self.problems: list[str] = []

    def read_file(self, file: Path) -> None:
        """Read a JSON file. Its keys are those of `key`, in any letter case."""
        try:
            document = json.loads(file.read_text("utf-8-sig"), object_pairs_hook=_Object)
        except OSError as error:
            self.problems.append(f"{file}: the settings file cannot be read: {error.strerror}")
        except (ValueError, RecursionError) as error:
            self.problems.append(f"{file}: the settings file is not JSON: {error}")
        else:
            if isinstance(document, _Object):
                self._read_object(document, (), str(file))
            else:
                self.problems.append(f"{file}: the settings file must contain one JSON object")

    def read_environment(self, variables: Mapping[str, str]) -> None:
        """Read the variables with the prefix. A section may be set as JSON, or key by key."""
        seen: dict[SettingPath, str] = {}
        # A section as JSON is read before its single keys, which take precedence.
        for name in sorted(variables, key=lambda name: (name.count("__"), name)):
            upper, text = name.upper(), variables[name]
            if not upper.startswith(PREFIX) or upper == FILE_VARIABLE or _SERVICE_LINK.match(f"{upper}={text}"):
                continue
            path = tuple(upper.removeprefix(PREFIX).lower().split("__"))
            if path not in self.fields:
                nearest = self._nearest(upper.removeprefix(PREFIX), lambda each: variable(each).removeprefix(PREFIX))
                self._add_unknown(_escape(name), nearest and PREFIX + nearest)
            elif path in seen:
                self._add_duplicate(name, seen[path])
            else:
                seen[path] = name
                self._put(path, self._decode(path, text), name, name)

    def _add_unknown(self, name: str, nearest: str | None) -> None:
        hint = f"did you mean {nearest}?" if nearest else "`ostiary settings` lists all settings"
        self.problems.append(f"{name}: there is no such setting; {hint}")

    def _add_duplicate(self, name: str, first: str) -> None:
        self.problems.append(f"{name}: is set twice, also as {first}; keep one, letter case makes no difference")

    def _decode(self, path: SettingPath, text: str) -> object:
        if not _section(self.fields[path]) and get_origin(self.fields[path].annotation) is not tuple:
            return text
        try:
            return json.loads(text, object_pairs_hook=_Object)
        except (ValueError, RecursionError):
            return text  # neither an object nor a list: the validation rejects its type

    def _read_object(self, document: _Object, parent: SettingPath, source: str) -> None:
        seen: dict[SettingPath, str] = {}
        for child, value in document.pairs:
            dotted = ".".join([*map(to_pascal, parent), child])
            name = f"{_escape(dotted)} in {source}"
            path = self._child_path(parent, child)
            if path is None:
                self._add_unknown(name, self._nearest(dotted, key))
            elif path in seen:
                self._add_duplicate(name, seen[path])
            else:
                seen[path] = child
                self._put(path, value, name, source)

    def _child_path(self, parent: SettingPath, child: str) -> SettingPath | None:
        paths = (path for path in self.fields if path[:-1] == parent)
        return next((path for path in paths if to_pascal(path[-1]).lower() == child.lower()), None)

    def _put(self, path: SettingPath, value: object, name: str, source: str) -> None:
        if path[0] in self._overrides:
            return
        section = self.values
        for part in path[:-1]:
            if not isinstance(section.get(part), dict):
                section[part] = {}
            section = section[part]
        if isinstance(value, _Object) and _section(self.fields[path]):
            if not isinstance(section.get(path[-1]), dict):
                section[path[-1]] = {}
            self._read_object(value, path, source)
        elif isinstance(value, str) and _SURROGATE.search(value):
            self.problems.append(f"{name}: contains bytes that are not UTF-8, or an incomplete character")
        else:
            section[path[-1]] = value
            self.origins[path] = (name, source)

    def _nearest(self, name: str, spell: Callable[[SettingPath], str]) -> str | None:
        """Return the most similar name of a setting; a section's key is also compared without its section."""
        names: dict[str, str] = {}
        for path in self.fields:
            names.setdefault(spell(path[-1:]).lower(), spell(path))
            names[spell(path).lower()] = spell(path)
        matches = difflib.get_close_matches(name.lower(), names, n=1, cutoff=0.7)
        return names[matches[0]] if matches else None

    def explain(self, error: ErrorDetails) -> str:
        """Return one line on an invalid value: its name in its source, the problem and the description; no value."""
        location = tuple(map(str, error["loc"]))
        path = next(location[:length] for length in range(len(location), 0, -1) if location[:length] in self.fields)
        name, _ = self.origins.get(path, (key(path), ""))
        entry = "".join(f", entry {int(part) + 1}" for part in location[len(path) :])
        field = self.fields[path]
        return f"{name}{entry}: {_number_rule(field) or _message(error)}. {field.description}"


def _section(field: FieldInfo) -> type[BaseModel] | None:
    choices = (field.annotation, *get_args(field.annotation))
    return next((choice for choice in choices if isinstance(choice, type) and issubclass(choice, BaseModel)), None)


def _number_rule(field: FieldInfo) -> str | None:
    """Return what the number of a setting must be, from its bounds; None for a setting that is no bounded number."""
    least = next((each.ge for each in field.metadata if hasattr(each, "ge")), None)
    maximum = next((each.le for each in field.metadata if hasattr(each, "le")), None)
    if least is None or maximum is None:
        return None
    return f"must be a {'number' if field.annotation is float else 'whole number'} from {least:,} to {maximum:,}"


def _message(error: ErrorDetails) -> str:
    if "error" in error.get("ctx", {}):
        return str(error["ctx"]["error"])
    return _MESSAGES.get(error["type"]) or re.sub(r"^\w+ should ", "must ", error["msg"])


def _escape(name: str) -> str:
    return name if name.isprintable() else ascii(name)
