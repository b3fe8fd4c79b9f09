"""References to users: by id, user name or e-mail address, and the condition under which a viewer may use each.

An e-mail address finds the viewer, and every user for a viewer who sees the details of all users. For other viewers it
is as if nobody had the address: the statement is the same, and its condition hides the row.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, or_

from app import policy
from app.db.tables import User, col
from app.domain.refs import RowRef
from app.domain.viewer import Viewer
from app.query.relations import Condition, among, guarded, integers, texts
from app.services import validation

COLUMNS: Mapping[str, tuple[Any, Condition]] = {
    "id": (User.id, policy.knows_user),
    "user_name": (User.user_key, policy.finds_user),
    "email": (User.email_key, policy.sees_user_details),
}
"""The unique columns that a reference can name, and whom the viewer finds by each."""


def matches(viewer: Viewer, user: RowRef) -> ColumnElement[bool]:
    """Return the condition that a row is the referenced user; the caller checks that the viewer may see the row."""
    by, key = validation.normalize_ref(user)
    return and_(col(COLUMNS[by][0]) == key, *_email_conditions(viewer, by))


def matches_any(viewer: Viewer, users: Sequence[RowRef]) -> ColumnElement[bool]:
    """Return the condition that a row is one of these users, like `matches`; `users` are normalized."""
    keys = {by: [key for column, key in users if column == by] for by in COLUMNS}
    return or_(
        among(col(User.id), integers(keys["id"])),
        among(col(User.user_key), texts(keys["user_name"])),
        and_(among(col(User.email_key), texts(keys["email"])), *_email_conditions(viewer, "email")),
    )


def key_columns(viewer: Viewer) -> tuple[ColumnElement[Any], ...]:
    """Return the columns that `ids_by_ref` reads. The e-mail address is null where the viewer may not see it."""
    return col(User.id), col(User.user_key), guarded(policy.sees_user_details, col(User.email_key), viewer)


def ids_by_ref(rows: Iterable[Sequence[Any]]) -> dict[RowRef, int]:
    """Return the ids of users by each of their references, from rows that begin with `key_columns`."""
    ids: dict[RowRef, int] = {}
    for user_id, user_key, email_key, *_ in rows:
        ids |= {("id", user_id): user_id, ("user_name", user_key): user_id}
        if email_key is not None:
            ids["email", email_key] = user_id
    return ids


def _email_conditions(viewer: Viewer, by: str) -> tuple[ColumnElement[bool], ...]:
    """Return the condition of a match by e-mail: it confirms the address of a user whom the viewer sees otherwise."""
    return (policy.sees_user_details(viewer),) if by == "email" else ()
