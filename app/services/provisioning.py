"""Taking users in: as they are made, and with an org of their own where the house gives one."""

import re
from collections.abc import Sequence
from itertools import count

from sqlalchemy import select

from app.db import Transaction, UniqueViolation
from app.db.tables import Org, col, sort_key
from app.domain.errors import Conflict, Problem
from app.domain.viewer import Viewer
from app.query.relations import among, texts
from app.services import audit, ownership, users, validation
from app.services.users import UserCreate

ROOM = 8
"""Characters of a slug that are kept free for a number at its end."""


async def provision(
    tx: Transaction, viewer: Viewer, new: Sequence[UserCreate], wrong: Sequence[Problem] = (), *, with_orgs: bool
) -> list[int]:
    """Make users, all or none, and their own orgs, unless deactivated; answers their ids in the order given."""
    made = await users.create_users(tx, viewer, new, wrong)
    if with_orgs:
        able = await ownership.load_able(tx, made)
        people = zip(made, (each.user_name for each in new), strict=True)
        await _give_orgs(tx, [person for person in people if person[0] in able])
    return made


async def provision_one(
    tx: Transaction, viewer: Viewer, new: UserCreate, wrong: Sequence[Problem] = (), *, with_orgs: bool
) -> int:
    """The same for one, whose problems have paths of her own."""
    made = await users.create_user(tx, viewer, new, wrong)
    if with_orgs and made in await ownership.load_able(tx, [made]):
        await _give_orgs(tx, [(made, new.user_name)])
    return made


async def _give_orgs(tx: Transaction, people: Sequence[tuple[int, str]]) -> None:
    """Make a private org for each, named like her."""
    rows = []
    given: set[str] = set()
    for user_id, user_name in people:
        slug = await _free_slug(tx, user_name, given)
        given.add(slug)
        rows.append(_row(tx, user_id, user_name, slug))
    try:
        await tx.insert(Org, rows)
    except UniqueViolation:
        raise Conflict("Somebody took the slug of her own org at this moment. Try again.", ("userName",)) from None
    made = select(col(Org.id)).where(among(col(Org.slug), texts(given)))
    audit.track_new(tx, audit.ORG, [row[0] for row in await tx.rows(made)])


def _row(tx: Transaction, user_id: int, user_name: str, slug: str) -> dict[str, object]:
    return {
        "slug": slug,
        "name": user_name,
        "name_key": sort_key(user_name),
        "description": "",
        "owner_id": user_id,
        "is_public": False,
        "created_at": tx.now,
    }


async def _free_slug(tx: Transaction, user_name: str, given: set[str]) -> str:
    """The user name as a slug, with the first number behind it that makes it free if it must be (rest.md, 2.4)."""
    base = re.sub(r"[^a-z0-9_]+", "-", user_name.lower())[: 128 - ROOM].strip("-")
    base = base if base[:1].isalnum() else f"0{base}"
    # In the order of slugs, `.` comes right after `-`: between lie this slug and those with a number behind it.
    near = select(col(Org.slug)).where(col(Org.slug) >= base, col(Org.slug) < f"{base}.")
    taken = {row[0] for row in await tx.rows(near)} | given
    tries = (base if not number else f"{base}-{number}" for number in count())
    return next(slug for slug in tries if slug not in taken and not [*_problems(slug)])


def _problems(slug: str) -> list[Problem]:
    return [*validation.slug_problems(slug, validation.RESERVED_ORG_SLUGS)]
