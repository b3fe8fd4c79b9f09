"""Creation of users, each with an org of their own if the settings say so."""

import re
from collections.abc import Sequence
from itertools import count

from sqlalchemy import select

from app.db import Transaction
from app.db.tables import Org, col
from app.domain.errors import Problem
from app.domain.viewer import Viewer
from app.services import orgs, ownership, tracked_rows, users, validation
from app.services.users import UserCreate

MAX_NUMBER_LENGTH = 8
"""Characters of a slug that are reserved for a number at its end."""


async def provision(tx: Transaction, viewer: Viewer, new: Sequence[UserCreate], *, with_orgs: bool) -> list[int]:
    """Create all users or none, and an org for each user who is not deactivated; return the user ids in order."""
    user_ids = await users.create_users(tx, viewer, new)
    if with_orgs:
        active = await ownership.load_active(tx, user_ids)
        owners = zip(user_ids, (each.user_name for each in new), strict=True)
        await _create_orgs(tx, [owner for owner in owners if owner[0] in active])
    return user_ids


async def provision_one(
    tx: Transaction, viewer: Viewer, new: UserCreate, problems: Sequence[Problem] = (), *, with_orgs: bool
) -> int:
    """Create one user like `provision`. The paths of problems have no list index.

    `problems` are reported together with those of the user.
    """
    user_id = await users.create_user(tx, viewer, new, problems)
    if with_orgs and user_id in await ownership.load_active(tx, [user_id]):
        await _create_orgs(tx, [(user_id, new.user_name)])
    return user_id


async def _create_orgs(tx: Transaction, owners: Sequence[tuple[int, str]]) -> None:
    """Create a private org for each owner (id and user name), with the user name as its name."""
    rows = []
    slugs: set[str] = set()
    for user_id, user_name in owners:
        slug = await _free_slug(tx, user_name, slugs)
        slugs.add(slug)
        rows.append(orgs.row(tx, orgs.OrgCreate(slug, user_name), user_id))
    await tracked_rows.insert(tx, Org, rows)


async def _free_slug(tx: Transaction, user_name: str, reserved: set[str]) -> str:
    """Return the user name as a slug, followed by the first number that makes it free, if it is taken."""
    base = re.sub(r"[^a-z0-9_]+", "-", user_name.lower())[: 128 - MAX_NUMBER_LENGTH].strip("-")
    base = base if base[:1].isalnum() else f"0{base}"
    # `.` sorts directly after `-`, so this range contains the base and each `base-number`.
    candidates = select(col(Org.slug)).where(col(Org.slug) >= base, col(Org.slug) < f"{base}.")
    taken = {row[0] for row in await tx.rows(candidates)} | reserved
    slugs = (base if not number else f"{base}-{number}" for number in count())
    return next(slug for slug in slugs if slug not in taken and _is_valid(slug))


def _is_valid(slug: str) -> bool:
    return not [*validation.slug_problems(slug, validation.RESERVED_ORG_SLUGS)]
