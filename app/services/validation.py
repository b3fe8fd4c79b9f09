"""Rules for names, e-mail addresses and metadata. Each check yields the problems of a value."""

import re
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Sequence
from datetime import datetime
from math import isfinite
from typing import Any, TypeVar
from urllib.parse import unquote

import orjson

from app.db.tables import casefold_key
from app.db.types import Latest
from app.domain.errors import InvalidInput, Problem, Problems
from app.domain.refs import RowRef
from app.services import similar_names

Item = TypeVar("Item")

MAX_METADATA_BYTES = 65_536
MAX_EMAIL = 254
MAX_ROLE_NAME = 64
MAX_DESCRIPTION = 1_000
MAX_REASON = 1_000
MAX_TITLE = 200

RESERVED_USER_NAMES = frozenset(
    {"roles", "storage", "meta", "detailed", "authenticate", "changepwd", "management-enabled", "anonymous"}
)
"""Names that are words in the paths of the REST API, and the name of the anonymous viewer."""

RESERVED_ORG_SLUGS = frozenset({"public", "features"})
"""Words in the paths of the REST API."""

RESERVED_GROUP_SLUGS = frozenset({"general"})
"""The name of all signed-in users, who are not a group."""

SLUG = re.compile(r"(?!.*--)[a-z0-9][a-z0-9_-]{1,127}")
USER_NAME = re.compile(r"[A-Za-z0-9]{1,127}")
_EXTERNAL_USER_NAME = re.compile(r"(?=[-._@+]*[A-Za-z0-9])[A-Za-z0-9._@+-]{1,127}")
_TYPE_NAME = re.compile(r"[A-Z][A-Z0-9_]{0,63}")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")


def normalize_key(text: str) -> str:
    """Return the key by which a name or an e-mail address is looked up.

    PostgreSQL rejects NUL in texts. Its replacement is a control character, which no name contains either.
    """
    return casefold_key(text).replace("\0", "\1")


def normalize_refs(refs: Sequence[RowRef]) -> list[RowRef]:
    """Return references to rows with normalized natural keys."""
    return [*map(normalize_ref, refs)]


def normalize_ref(ref: RowRef) -> RowRef:
    """Return a row reference with its natural key normalized."""
    by, key = ref
    return ref if by == "id" else (by, normalize_key(str(key)))


def user_name_problems(name: str, *, is_external: bool = False) -> Iterator[Problem]:
    """Require 1 to 127 letters and digits, and no reserved name. Names of an identity provider may have `-._@+` too."""
    if is_external and not _EXTERNAL_USER_NAME.fullmatch(name):
        yield InvalidInput(
            "A user name must be 1 to 127 letters (a to z), digits and `-._@+`, with at least one letter or digit.",
            ("userName",),
        )
    elif not is_external and not USER_NAME.fullmatch(name):
        yield InvalidInput("A user name must be 1 to 127 letters (a to z) and digits, without spaces.", ("userName",))
    elif casefold_key(name) in RESERVED_USER_NAMES:
        yield InvalidInput(f"The user name `{name}` is reserved. Choose another.", ("userName",))


def email_problems(email: str | None) -> Iterator[Problem]:
    """Require one `@` between two parts, at most 254 characters, and no look-alike letters; None has no problems."""
    if email is None:
        return
    key = casefold_key(email)
    if not (len(email) <= MAX_EMAIL and _EMAIL.fullmatch(email) and _EMAIL.fullmatch(key) and email.isprintable()):
        yield InvalidInput(
            f"An email address must have the form name@host, with at most {MAX_EMAIL} characters.", ("email",)
        )
        return
    if email.isascii():
        return
    look = similar_names.looks_like(email, key)
    if look is not None and not key.isascii():
        yield InvalidInput(f"This email address looks like `{look}`. Write it with ASCII letters.", ("email",))
        return
    # Each part is checked alone, since the name and the host are often in different scripts.
    reasons = {reason for part in _PARTS.split(key) for reason in similar_names.problems(part, part, is_part=True)}
    for reason in sorted(reasons):
        yield InvalidInput(f"This email address cannot be used. {reason}", ("email",))


_PARTS = re.compile("[@.]")


def role_name_problems(name: str) -> Iterator[Problem]:
    """Require the form of `role_form_problems`, no look-alike letters, and a name that fits into a URL path."""
    yield from (problems := [*role_form_problems(name)])
    if problems:
        return
    key = casefold_key(name)
    yield from _space_problems(name, "name")
    if _breaks_paths(key):
        yield InvalidInput(
            "A role's name is a segment of URL paths: it must not be `.` or `..`, nor contain `/` or `\\`.", ("name",)
        )
    for reason in similar_names.problems(name, key):
        yield InvalidInput(f"This name of a role cannot be used. {reason}", ("name",))


def role_form_problems(name: str) -> Iterator[Problem]:
    """Require 1 to 64 printable characters without a slash, and no space at either end."""
    if not (0 < len(name) <= MAX_ROLE_NAME and name.isprintable() and name == name.strip() and "/" not in name):
        yield InvalidInput(
            f"A role's name must be 1 to {MAX_ROLE_NAME} printable characters without `/`, and no space at either end.",
            ("name",),
        )


def _space_problems(name: str, path: str) -> Iterator[Problem]:
    """Require single spaces: browsers show a run of them as one, so two names would look alike."""
    if "  " in name or "  " in casefold_key(name):
        yield InvalidInput("A name must not have two spaces in a row. Remove one of them.", (path,))


def _breaks_paths(key: str) -> bool:
    """Return whether a name, after all levels of percent-decoding, is not one segment of a URL path."""
    while (decoded := unquote(key)) != key:
        key = decoded
    return key.strip(". ") == "" or key != key.strip() or bool({"/", "\\"} & {*key})


def description_problems(text: str) -> Iterator[Problem]:
    if len(text) > MAX_DESCRIPTION:
        yield InvalidInput(f"A description must have at most {MAX_DESCRIPTION:,} characters.", ("description",))
    elif "\0" in text:
        yield InvalidInput("A description must not contain a NUL character. Remove it.", ("description",))


def reason_problems(text: str) -> Iterator[Problem]:
    """Require 1 to 1,000 characters beside spaces at the ends, for the reason of a lock."""
    if not 0 < len(text.strip()) <= MAX_REASON:
        yield InvalidInput(f"A reason must have 1 to {MAX_REASON:,} characters.", ("reason",))
    elif "\0" in text:
        yield InvalidInput("A reason must not contain a NUL character. Remove it.", ("reason",))


def slug_problems(slug: str, reserved: Collection[str] = ()) -> Iterator[Problem]:
    """Require 2 to 128 lower-case letters, digits, `_` and `-`, first a letter or digit, no `--`, and none reserved."""
    if not SLUG.fullmatch(slug):
        yield InvalidInput(
            "A slug must be 2 to 128 of a to z, 0 to 9, `_` and `-`. It begins with a letter or digit and has no `--`.",
            ("slug",),
        )
    elif slug in reserved:
        yield InvalidInput(f"The slug `{slug}` is reserved. Choose another.", ("slug",))


def title_problems(name: str, path: str = "name") -> Iterator[Problem]:
    """Require 1 to 200 printable characters, single spaces, none at an end, for orgs, groups, resources and users."""
    if not (0 < len(name) <= MAX_TITLE and name.isprintable() and name == name.strip()):
        yield InvalidInput(f"A name must be 1 to {MAX_TITLE} printable characters, not only spaces.", (path,))
    yield from _space_problems(name, path)


def display_name_problems(name: str | None) -> Iterator[Problem]:
    """Require a title as the display name of a user; None, which is no display name, has no problems."""
    if name is not None:
        yield from title_problems(name, "displayName")


LATEST = Latest.moment
"""The time that stands for no end in lists. PostgreSQL has the last moment of that day as infinity."""


def end_problems(expires_at: datetime | None, now: datetime) -> Iterator[Problem]:
    """Require an end in the future and before `LATEST`, or none."""
    if expires_at is not None and expires_at <= now:
        yield InvalidInput("`expiresAt` must be in the future.", ("expiresAt",))
    yield from latest_end_problems(expires_at)


def latest_end_problems(expires_at: datetime | None) -> Iterator[Problem]:
    """Require an end before `LATEST`, or none."""
    if expires_at is not None and expires_at >= LATEST:
        text = f"`expiresAt` must be before {LATEST:%Y-%m-%d}. Leave it out for no end."
        yield InvalidInput(text, ("expiresAt",))


def raise_problems(problems: Sequence[Problem]) -> None:
    if problems:
        raise Problems(problems)


def duplicates(items: Iterable[Item], key: Callable[[Item], Hashable | None]) -> Iterator[Item]:
    """Yield each item whose key an earlier item has. Items with the key None are no duplicates."""
    seen: set[Hashable] = set()
    for item in items:
        if (item_key := key(item)) is None:
            continue
        if item_key in seen:
            yield item
        seen.add(item_key)


def type_name_problems(name: str) -> Iterator[Problem]:
    """Require 1 to 64 capital letters, digits and `_`, first a letter, for a resource type."""
    if not _TYPE_NAME.fullmatch(name):
        yield InvalidInput("A type must be 1 to 64 capital letters, digits and `_`, first a letter.", ("name",))


def metadata_problems(metadata: Any) -> Iterator[Problem]:
    """Require a JSON object. In a user's metadata `maxStorageMB` is a number, and `roles` a list of role names."""
    yield from document_problems(metadata)
    if isinstance(metadata, dict):
        yield from _reserved_key_problems(metadata)


def document_problems(metadata: Any) -> Iterator[Problem]:
    """Require a JSON object of at most 64 KiB."""
    if not isinstance(metadata, dict):
        yield InvalidInput("`metadata` must be a JSON object.", ("metadata",))
        return
    try:
        text = orjson.dumps(metadata)
    except (orjson.JSONEncodeError, RecursionError):
        yield InvalidInput(
            "`metadata` must be JSON of at most 250 levels, with integers of at most 64 bits.", ("metadata",)
        )
        return
    if len(text) > MAX_METADATA_BYTES:
        yield InvalidInput(
            f"`metadata` has {len(text):,} bytes. At most {MAX_METADATA_BYTES:,} are allowed.", ("metadata",)
        )
    elif orjson.loads(text) != metadata:
        yield InvalidInput("A number in `metadata` is too large: JSON has no infinity.", ("metadata",))


def _reserved_key_problems(metadata: dict[str, Any]) -> Iterator[Problem]:
    quota = metadata.get("maxStorageMB", 0)
    if isinstance(quota, bool) or not isinstance(quota, int | float) or not isfinite(quota) or quota < 0:
        yield InvalidInput("`maxStorageMB` must be a number of megabytes, 0 or more.", ("metadata", "maxStorageMB"))
    roles = metadata.get("roles", [])
    if not isinstance(roles, list) or not all(isinstance(role, str) for role in roles):
        yield InvalidInput("`roles` must be a list of role names.", ("metadata", "roles"))
        return
    for at, role in enumerate(roles):
        for problem in role_form_problems(role):
            yield InvalidInput(problem.message, ("metadata", "roles", at))
