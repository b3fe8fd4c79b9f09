"""What names, addresses and documents may look like. Each check gives a problem, or nothing."""

import re
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Sequence
from datetime import datetime
from math import isfinite
from typing import Any, TypeVar
from urllib.parse import unquote

import orjson

from app.db.tables import casefold_key
from app.domain.errors import InvalidInput, Problem, Problems
from app.services import similar_names

Item = TypeVar("Item")

MAX_METADATA_BYTES = 65_536
MAX_EMAIL = 254
MAX_ROLE_NAME = 64
MAX_DESCRIPTION = 1_000
MAX_TITLE = 200

RESERVED_USER_NAMES = frozenset(
    {"roles", "storage", "meta", "detailed", "authenticate", "changepwd", "management-enabled", "anonymous"}
)
"""Names that the REST face uses as words in its paths, and the one that means nobody."""

RESERVED_ORG_SLUGS = frozenset({"public", "features"})
"""Words that the REST face uses in its paths."""

RESERVED_GROUP_SLUGS = frozenset({"general"})
"""Every signed-in user, who is no group."""

SLUG = re.compile(r"(?!.*--)[a-z0-9][a-z0-9_-]{1,127}")
USER_NAME = re.compile(r"[A-Za-z0-9]{1,127}")
_EXTERNAL_USER_NAME = re.compile(r"(?=[-._@+]*[A-Za-z0-9])[A-Za-z0-9._@+-]{1,127}")
_TYPE_NAME = re.compile(r"[A-Z][A-Z0-9_]{0,63}")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")


def normalize_key(text: str) -> str:
    """How a name or address is looked up.

    PostgreSQL takes no NUL at all; no name has a control character, so another one finds nothing just as well.
    """
    return casefold_key(text).replace("\0", "\1")


def user_name_problems(name: str, *, is_external: bool = False) -> Iterator[Problem]:
    """Letters and digits, 1 to 127, none of the reserved words; one that an external provider gives may say more."""
    if is_external and not _EXTERNAL_USER_NAME.fullmatch(name):
        yield InvalidInput(
            "A user name is 1 to 127 letters (a to z), digits and `-._@+`, with a letter or digit in it.", ("userName",)
        )
    elif not is_external and not USER_NAME.fullmatch(name):
        yield InvalidInput("A user name is 1 to 127 letters (a to z) and digits, without spaces.", ("userName",))
    elif casefold_key(name) in RESERVED_USER_NAMES:
        yield InvalidInput(f"The user name `{name}` is reserved.", ("userName",))


def email_problems(email: str | None) -> Iterator[Problem]:
    """Optional; one @ between two words, at most 254 characters, that pass for no others."""
    if email is None:
        return
    key = casefold_key(email)
    if not (len(email) <= MAX_EMAIL and _EMAIL.fullmatch(email) and _EMAIL.fullmatch(key) and email.isprintable()):
        yield InvalidInput(f"An e-mail address looks like name@host, at most {MAX_EMAIL} characters.", ("email",))
        return
    look = similar_names.looks_like(email, key)
    if look is not None and not key.isascii():
        yield InvalidInput(f"This e-mail address passes for `{look}`.", ("email",))
        return
    # A name in one script at a host in another is usual.
    wrong = {reason for part in _PARTS.split(key) for reason in similar_names.problems(part, part, is_part=True)}
    for reason in sorted(wrong):
        yield InvalidInput(f"This is no e-mail address for a user. {reason}", ("email",))


_PARTS = re.compile("[@.]")


def role_name_problems(name: str) -> Iterator[Problem]:
    """The form of `role_form_problems`; a name that passes for no other, and that an address can hold."""
    yield from (found := [*role_form_problems(name)])
    if found:
        return
    key = casefold_key(name)
    if _breaks_addresses(key):
        yield InvalidInput(
            "A role's name is one part of an address: not `.` or `..`, and without `/` and `\\`.", ("name",)
        )
    for reason in similar_names.problems(name, key):
        yield InvalidInput(f"This is no name for a role. {reason}", ("name",))


def role_form_problems(name: str) -> Iterator[Problem]:
    """1 to 64 printable characters, no slash, no space at an end."""
    if not (0 < len(name) <= MAX_ROLE_NAME and name.isprintable() and name == name.strip() and "/" not in name):
        yield InvalidInput(
            f"A role's name is 1 to {MAX_ROLE_NAME} printable characters without `/`, and no space at an end.",
            ("name",),
        )


def _breaks_addresses(key: str) -> bool:
    """Whether a name, percent-encoded however often, is no single part of a path."""
    while (decoded := unquote(key)) != key:
        key = decoded
    return key.strip(". ") == "" or key != key.strip() or bool({"/", "\\"} & {*key})


def description_problems(text: str) -> Iterator[Problem]:
    """At most 1,000 characters."""
    if len(text) > MAX_DESCRIPTION or "\0" in text:
        yield InvalidInput(f"A description is at most {MAX_DESCRIPTION:,} characters without NUL.", ("description",))


def slug_problems(slug: str, reserved: Collection[str] = ()) -> Iterator[Problem]:
    """2 to 128 small letters, digits, `_` and `-`, without `--`; the first a letter or digit; none of some words."""
    if not SLUG.fullmatch(slug):
        yield InvalidInput(
            "A slug is 2 to 128 of a to z, 0 to 9, `_` and `-`; it begins with a letter or digit and has no `--`.",
            ("slug",),
        )
    elif slug in reserved:
        yield InvalidInput(f"The slug `{slug}` is reserved.", ("slug",))


def title_problems(name: str, path: str = "name") -> Iterator[Problem]:
    """The name of an org, a group or a resource: 1 to 200 printable characters, no space at an end."""
    if not (0 < len(name) <= MAX_TITLE and name.isprintable() and name == name.strip()):
        yield InvalidInput(
            f"A name is 1 to {MAX_TITLE} printable characters, and not of spaces alone.",
            (path,),
        )


def end_problems(expires_at: datetime | None, now: datetime) -> Iterator[Problem]:
    """Absent, or in the future."""
    if expires_at is not None and expires_at <= now:
        yield InvalidInput("`expiresAt` must be in the future.", ("expiresAt",))


def raise_problems(problems: Sequence[Problem]) -> None:
    """Raise Problems if there are any."""
    if problems:
        raise Problems(problems)


def duplicates(items: Iterable[Item], key: Callable[[Item], Hashable | None]) -> Iterator[Item]:
    """Yield each item whose key an earlier item has. An item with the key None repeats none."""
    seen: set[Hashable] = set()
    for item in items:
        if (its_key := key(item)) is None:
            continue
        if its_key in seen:
            yield item
        seen.add(its_key)


def type_name_problems(name: str) -> Iterator[Problem]:
    """The name of a type of resource: capital letters, digits and `_`, a letter first, at most 64."""
    if not _TYPE_NAME.fullmatch(name):
        yield InvalidInput("A type is 1 to 64 capital letters, digits and `_`, a letter first.", ("name",))


def metadata_problems(metadata: Any) -> Iterator[Problem]:
    """The metadata of a user: `maxStorageMB` and `roles` have a meaning and so a form."""
    yield from document_problems(metadata)
    if isinstance(metadata, dict):
        yield from _reserved_key_problems(metadata)


def document_problems(metadata: Any) -> Iterator[Problem]:
    """A JSON object of at most 64 KiB."""
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


def _reserved_key_problems(metadata: dict[str, Any]) -> Iterator[Problem]:
    quota = metadata.get("maxStorageMB", 0)
    if isinstance(quota, bool) or not isinstance(quota, int | float) or not isfinite(quota) or quota < 0:
        yield InvalidInput("`maxStorageMB` is a number of megabytes, 0 or more.", ("metadata", "maxStorageMB"))
    roles = metadata.get("roles", [])
    if not isinstance(roles, list) or not all(isinstance(role, str) for role in roles):
        yield InvalidInput("`roles` is a list of role names.", ("metadata", "roles"))
        return
    for at, role in enumerate(roles):
        for problem in role_form_problems(role):
            yield InvalidInput(problem.message, ("metadata", "roles", at))
