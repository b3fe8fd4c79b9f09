"""The entries of a user in access configurations."""

from typing import Any

from tests.oracle.naive import Reading, every
from tests.oracle.naive.kinds import KINDS
from tests.oracle.naive.lists import Row, page


def of_user(reading: Reading, user: Row, **arguments: Any) -> Any:
    """Return the visible resources with an entry of the user, if the viewer may know of the entry."""
    found = {
        row["key"]: grant
        for row in every(reading, "Resource")
        for grant in row["grants"]
        if grant["kind"] == "USER" and grant["subject"] == user["key"] and _knows_entry(reading, user, row)
    }
    rows = [row for row in reading.rows["Resource"] if row["key"] in found]
    return page(reading, KINDS["Resource"], rows, arguments, lambda row: found[row["key"]])


def _knows_entry(reading: Reading, user: Row, resource: Row) -> bool:
    return user["key"] == reading.key or reading.may("ACCESS_VIEW") or reading.sees_configuration(resource)
