"""The lists of each type: by which values rows are sorted and filtered."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from tests.oracle.naive import Reading, identity, visible_row
from tests.oracle.naive.lists import UNKNOWN, Kind, Row, Substitute, folded, level_number, sort_key, stored
from tests.oracle.naive.rights import listed


def _own(reading: Reading, user: Row, value: Any) -> Any:
    return value if reading.is_own(user) else None


def _org_slug(reading: Reading, key: int) -> list[str]:
    org = visible_row(reading, "Org", key)
    return [] if org is None else [org["slug"]]


def _sorted_by(name: str, *moments: str, order: str = "name") -> dict[str, Callable[[Any, Row], Any]]:
    """Return orders by a name without letter case, and by times."""
    orders: dict[str, Callable[[Any, Row], Any]] = {order: lambda reading, row: sort_key(row[name])}
    return orders | {moment: lambda reading, row, at=moment: stored(row[_camel(at)]) for moment in moments}


def _email_place(reading: Reading, user: Row) -> str:
    """Return the place of a user among e-mail addresses: before all others without a visible one."""
    return folded(_own(reading, user, user["email"]) or "")


def _login_place(reading: Reading, user: Row) -> str:
    """Return the place of a user among sign-ins: before all others without a visible one."""
    return stored(_own(reading, user, user["lastLoginAt"]) or EARLIEST)


def _user_names(reading: Reading, user: Row) -> list[str]:
    """Return the keys that a search compares."""
    email = _own(reading, user, user["email"])
    return [folded(user["userName"]), sort_key(_display_name(user)), *([folded(email)] if email else [])]


def _names(*fields: str) -> Callable[[Any, Row], list[str]]:
    return lambda reading, row: [sort_key(row[name]) for name in fields]


def _owner_name(reading: Reading, row: Row) -> str | None:
    owner = reading.one("User", row["owner"])
    return None if owner is None else str(owner["userName"])


def member_kind(of: str, members: Mapping[int, Row]) -> Kind:
    """Return the kind of a list of members: users, with the values of their memberships."""
    user, words = KINDS["User"], ("level", "expiresAt") if of == "Org" else ("isManager", "expiresAt")
    orders: dict[str, Callable[[Any, Row], Any]] = {
        "added_at": lambda reading, row: stored(members[row["key"]]["addedAt"]),
        "expires_at": lambda reading, row: stored(members[row["key"]]["expiresAt"] or LATEST),
    }
    if of == "Org":
        orders["level"] = lambda reading, row: level_number(members[row["key"]]["level"])
    filters = {name: lambda reading, row, at=name: members[row["key"]][at] for name in (*words, "addedAt")}
    return Kind(f"{of}Member", {**user.orders, **orders}, {**user.filters, **filters}, numbers=frozenset({"level"}))


EARLIEST = datetime(1, 1, 2, tzinfo=UTC)
LATEST = datetime(9999, 12, 31, tzinfo=UTC)


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(map(str.capitalize, rest))


def _display_name(user: Row) -> str:
    """Return the name by which a user is listed."""
    name: str = user["displayName"] or user["userName"]
    return name


KINDS = {
    "User": Kind(
        "User",
        {
            "user_name": lambda reading, user: folded(user["userName"]),
            "display_name": lambda reading, user: sort_key(_display_name(user)),
            "created_at": lambda reading, user: stored(user["createdAt"]),
            "last_login_at": _login_place,
            "email": _email_place,
        },
        {
            "id": lambda reading, user: identity(user),
            "search": _user_names,
            "isServiceAccount": lambda reading, user: user["isServiceAccount"],
            "userName": lambda reading, user: user["userName"],
            "displayName": lambda reading, user: user["displayName"] or Substitute(user["userName"]),
            "email": lambda reading, user: _own(reading, user, user["email"]),
            "createdAt": lambda reading, user: user["createdAt"],
            "lastLoginAt": lambda reading, user: _own(reading, user, user["lastLoginAt"]),
            "roleName": lambda reading, user: (
                [role["name"] for role in reading.roles_of(user)] if reading.is_own(user) else UNKNOWN
            ),
            "isDeactivated": lambda reading, user: _own(reading, user, user["key"] in reading.rights.deactivated),
        },
    ),
    "Role": Kind(
        "Role",
        {
            "name": lambda reading, role: folded(role["name"]),
            "created_at": lambda reading, role: stored(role["createdAt"]),
        },
        {
            "id": lambda reading, role: identity(role),
            "name": lambda reading, role: [role["name"]],  # not a title
            "isBuiltIn": lambda reading, role: role["isBuiltIn"],
        },
    ),
    "Org": Kind(
        "Org",
        _sorted_by("name", "created_at"),
        {
            "slug": lambda reading, org: org["slug"],
            "name": lambda reading, org: org["name"],
            "id": lambda reading, org: identity(org),
            "search": _names("slug", "name"),
            "ownerUserName": _owner_name,
            "createdAt": lambda reading, org: org["createdAt"],
            "isPublic": lambda reading, org: org["isPublic"],
            "viewerBelongs": Reading.is_mine,
        },
    ),
    "Group": Kind(
        "Group",
        _sorted_by("displayName", "created_at", order="display_name"),
        {
            "slug": lambda reading, group: group["slug"],
            "displayName": lambda reading, group: group["displayName"],
            "viewerBelongs": Reading.is_my_group,
            "id": lambda reading, group: identity(group),
            "search": _names("slug", "displayName"),
            "createdAt": lambda reading, group: group["createdAt"],
        },
    ),
    "Resource": Kind(
        "Resource",
        _sorted_by("name", "created_at", "updated_at") | {"size": lambda reading, row: row["sizeBytes"]},
        {
            "type": lambda reading, row: row["type"],
            "orgSlug": lambda reading, row: _org_slug(reading, row["org"]),
            "ownerUserName": _owner_name,
            "id": lambda reading, row: identity(row),
            "search": _names("slug", "name"),
            "createdAt": lambda reading, row: row["createdAt"],
            "updatedAt": lambda reading, row: row["updatedAt"],
            "sizeBytes": lambda reading, row: row["sizeBytes"],
            "name": lambda reading, row: row["name"],
            "slug": lambda reading, row: row["slug"],
            "isLocked": lambda reading, row: row["lock"] is not None,
            "viewerRole": lambda reading, row: listed(reading.holds(row)),
        },
        numbers=frozenset({"size"}),
    ),
    "ApiToken": Kind("ApiToken", _sorted_by("name")),
    "ResourceType": Kind("ResourceType", {"name": lambda reading, row: row["name"]}),
    "LockEvent": Kind("LockEvent", {"created_at": lambda reading, event: stored(event["createdAt"])}),
    "AuditEvent": Kind(
        "AuditEvent",
        {"created_at": lambda reading, event: event["key"]},  # numbers follow the order of commits
        {
            "actorName": lambda reading, event: event["actorName"],
            "action": lambda reading, event: event["action"],
            "objectId": lambda reading, event: [change["objectId"] for change in event["changes"]],
            "createdAt": lambda reading, event: event["createdAt"],
        },
        newest_first=True,
        numbers=frozenset({"created_at"}),
    ),
    "AuditChange": Kind("AuditChange", {"name": lambda reading, change: change["objectName"]}),
    "AccessSubject": Kind("AccessSubject", {"user_name": lambda reading, subject: subject["name"]}),
}


KINDS |= {f"{of}Member": member_kind(of, {}) for of in ("Org", "Group")}
