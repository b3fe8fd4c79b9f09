"""The entries of access configurations: those of a resource, and those of a user."""

from collections.abc import Callable, Mapping
from typing import Any

from tests.oracle.naive import Reading, every, first
from tests.oracle.naive.kinds import KINDS
from tests.oracle.naive.lists import Row, page, sort_key


def grants(reading: Reading, user: Row, **arguments: Any) -> Any:
    """Return the visible resources with an entry of the user, if the viewer may know of the entry."""
    entries = {
        row["key"]: grant
        for row in every(reading, "Resource")
        for grant in row["grants"]
        if grant["kind"] == "USER" and grant["subject"] == user["key"] and _knows_entry(reading, user, row)
    }
    rows = [row for row in reading.rows["Resource"] if row["key"] in entries]
    return page(reading, KINDS["Resource"], rows, arguments, lambda row: entries[row["key"]])


def _knows_entry(reading: Reading, user: Row, resource: Row) -> bool:
    return user["key"] == reading.key or reading.may("ACCESS_VIEW") or reading.sees_configuration(resource)


def entry(kind: str) -> Callable[..., Any]:
    """Return the entry for all users of a kind."""
    return lambda reading, resource: first(grant for grant in resource["grants"] if grant["kind"] == kind)


def entries(kind: str, of: str, name: str) -> Callable[..., Any]:
    """Return the entries of groups or users, by name."""

    def read(reading: Reading, resource: Row) -> Any:
        rows: Mapping[int, Row] = reading.rights.by_key[of]
        grants = [grant for grant in resource["grants"] if grant["kind"] == kind]
        return sorted(grants, key=lambda grant: (sort_key(rows[grant["subject"]][name]), grant["subject"]))

    return read
