"""What names, addresses and documents may look like. Each check gives a problem, or nothing."""

import re
from collections.abc import Iterator
from math import isfinite
from typing import Any

import orjson

from app.errors import InvalidInput, Problem
from app.tables import folded

MAX_METADATA_BYTES = 65_536
MAX_EMAIL = 254
MAX_ROLE_NAME = 64
MAX_DESCRIPTION = 1_000

RESERVED_USER_NAMES = frozenset(
    {"roles", "storage", "meta", "detailed", "authenticate", "changepwd", "management-enabled", "anonymous"}
)
"""Names that the REST face uses as words in its paths, and the one that means nobody."""

_USER_NAME = re.compile(r"[A-Za-z0-9]{1,127}")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")


def sought(text: str) -> str:
    """How a name or address is looked up.

    PostgreSQL takes no NUL at all; no name has a control character, so another one finds nothing just as well.
    """
    return folded(text).replace("\0", "\1")


def user_name_problems(name: str) -> Iterator[Problem]:
    """Letters and digits, 1 to 127, none of the reserved words."""
    if not _USER_NAME.fullmatch(name):
        yield InvalidInput("A user name is 1 to 127 letters (a to z) and digits, without spaces.", ("userName",))
    elif name.lower() in RESERVED_USER_NAMES:
        yield InvalidInput(f"The user name `{name}` is reserved.", ("userName",))


def email_problems(email: str | None) -> Iterator[Problem]:
    """Optional; one @ between two words, at most 254 characters."""
    if email is not None and not (len(email) <= MAX_EMAIL and _EMAIL.fullmatch(email) and email.isprintable()):
        yield InvalidInput(f"An e-mail address looks like name@host, at most {MAX_EMAIL} characters.", ("email",))


def role_name_problems(name: str) -> Iterator[Problem]:
    """1 to 64 printable characters, no slash, no space at an end."""
    if not (0 < len(name) <= MAX_ROLE_NAME and name.isprintable() and name == name.strip() and "/" not in name):
        yield InvalidInput(
            f"A role's name is 1 to {MAX_ROLE_NAME} printable characters without `/`, and no space at an end.",
            ("name",),
        )


def description_problems(text: str) -> Iterator[Problem]:
    """At most 1,000 characters."""
    if len(text) > MAX_DESCRIPTION or "\0" in text:
        yield InvalidInput(f"A description is at most {MAX_DESCRIPTION:,} characters without NUL.", ("description",))


def metadata_problems(metadata: Any) -> Iterator[Problem]:
    """A JSON object of at most 64 KiB; `maxStorageMB` and `roles` have a meaning and so a form."""
    if not isinstance(metadata, dict):
        yield InvalidInput("Metadata is a JSON object.", ("metadata",))
        return
    try:
        written = orjson.dumps(metadata)
    except (orjson.JSONEncodeError, RecursionError):
        yield InvalidInput("Metadata is JSON of at most 250 levels, with integers of at most 64 bits.", ("metadata",))
        return
    if len(written) > MAX_METADATA_BYTES:
        yield InvalidInput(
            f"Metadata is {len(written):,} bytes; at most {MAX_METADATA_BYTES:,} are kept.", ("metadata",)
        )
    elif orjson.loads(written) != metadata:
        yield InvalidInput("A number in the metadata is too large: JSON has no infinity.", ("metadata",))
    yield from _reserved_key_problems(metadata)


def _reserved_key_problems(metadata: dict[str, Any]) -> Iterator[Problem]:
    quota = metadata.get("maxStorageMB", 0)
    if isinstance(quota, bool) or not isinstance(quota, int | float) or not isfinite(quota) or quota < 0:
        yield InvalidInput("`maxStorageMB` is a number of megabytes, 0 or more.", ("metadata", "maxStorageMB"))
    roles = metadata.get("roles", [])
    if not isinstance(roles, list) or not all(isinstance(role, str) for role in roles):
        yield InvalidInput("`roles` is a list of role names.", ("metadata", "roles"))
        return
    for at, role in enumerate(roles):
        for problem in role_name_problems(role):
            yield InvalidInput(problem.message, ("metadata", "roles", at))
