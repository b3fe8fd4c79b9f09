"""Users: making, changing and deleting them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import bindparam, delete, select, update

from app import policy
from app.auth import Permission, Viewer
from app.db import Duplicate, Transaction
from app.errors import Conflict, InvalidInput, NotFound, Problem, Problems
from app.services import names, roles
from app.services.roles import Way
from app.sources import among, texts
from app.tables import User, col, folded

MAX_AT_ONCE = 1_000
DEFAULT_ROLES = ("user",)


@dataclass(frozen=True, slots=True)
class NewUser:
    """What a new user is made of. Without a password she cannot sign in until one is set."""

    user_name: str
    email: str | None = None
    password_hash: str | None = None
    roles: Sequence[str] = DEFAULT_ROLES
    metadata: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Changes:
    """What an update gives; None leaves it as it is. An e-mail of "" takes it away."""

    email: str | None = None
    roles: Sequence[str] | None = None


async def create_user(tx: Transaction, viewer: Viewer, new: NewUser, wrong: Sequence[Problem] = ()) -> int:
    """Make one user; answers her id. `wrong` is what the caller found, to be named with the rest."""
    try:
        return (await create_users(tx, viewer, [new], [each.under("users", 0) for each in wrong]))[0]
    except Problems as refused:
        raise Problems([type(each)(each.message, each.path[2:]) for each in refused.problems]) from None


async def create_users(
    tx: Transaction, viewer: Viewer, new: Sequence[NewUser], wrong: Sequence[Problem] = ()
) -> list[int]:
    """Make many users, all or none; answers their ids in the order given. Every offender is named, `wrong` too."""
    check_number(viewer, len(new))
    new = [replace(each, email=_address(each.email)) for each in new]
    known = await roles.named(tx, {name for each in new for name in each.roles})
    problems = [*_each_problem(new, known), *wrong, *_twice(new), *await _taken(tx, new)]
    if problems:
        raise Problems(problems)
    for name in sorted({name for each in new for name in each.roles}):
        policy.require_no_more(viewer, known[folded(name)][1], f"The role `{name}`")
    ids = await _insert(tx, new)
    held = [(key, known[name][0]) for key, each in zip(ids, new, strict=True) for name in {*map(folded, each.roles)}]
    await roles.give(tx, held)
    return ids


def check_number(viewer: Viewer, number: int) -> None:
    """Refuse somebody who makes no users, and to make none or too many at once."""
    policy.require(viewer, Permission.USERS_MANAGE)
    if not 1 <= number <= MAX_AT_ONCE:
        raise InvalidInput(f"From 1 to {MAX_AT_ONCE:,} users are made at once, not {number:,}.", ("users",))


def _address(email: str | None) -> str | None:
    """A blank address is none."""
    return (email or "").strip() or None


def _each_problem(new: Sequence[NewUser], known: dict[str, Any]) -> Iterator[Problem]:
    for at, each in enumerate(new):
        checks = (
            names.user_name_problems(each.user_name),
            names.email_problems(each.email),
            names.metadata_problems(each.metadata),
            roles.unknown(each.roles, known),
        )
        yield from (problem.under("users", at) for check in checks for problem in check)


def _twice(new: Sequence[NewUser]) -> Iterator[Problem]:
    """The same name or address twice in one request."""
    seen: set[tuple[str, str]] = set()
    for at, each in enumerate(new):
        for what, text in (("userName", each.user_name), ("email", each.email)):
            if text is None:
                continue
            if (what, folded(text)) in seen:
                yield Conflict(f"`{text}` stands in this request twice.", ("users", at, what))
            seen.add((what, folded(text)))


async def _taken(tx: Transaction, new: Sequence[NewUser]) -> list[Problem]:
    """Names every user name and address that somebody has; the database has the last word when two arrive at once."""
    user_names = texts({names.sought(each.user_name) for each in new})
    emails = texts({names.sought(each.email) for each in new if each.email is not None})
    statement = select(col(User.user_key), col(User.email_key)).where(
        among(col(User.user_key), user_names) | among(col(User.email_key), emails)
    )
    rows = await tx.rows(statement)
    taken = {("userName", name) for name, _ in rows} | {("email", email) for _, email in rows}
    return [
        _exists(what, text).under("users", at)
        for at, each in enumerate(new)
        for what, text in (("userName", each.user_name), ("email", each.email))
        if text is not None and (what, folded(text)) in taken
    ]


def _exists(what: str, text: str) -> Problem:
    kind = "user name" if what == "userName" else "e-mail address"
    return Conflict(f"The {kind} `{text}` is taken; letter case does not make it another.", (what,))


async def _insert(tx: Transaction, new: Sequence[NewUser]) -> list[int]:
    """Write the rows and read their ids back by name."""
    rows = [_row(tx, each) for each in new]
    try:
        await tx.put(User, rows)
    except Duplicate as taken:
        raise Problems([_just_taken(new, "email" if "email" in taken.columns else "userName")]) from None
    keys = [row["user_key"] for row in rows]
    found = await tx.rows(select(col(User.user_key), col(User.id)).where(among(col(User.user_key), texts(keys))))
    ids: dict[str, int] = {name: key for name, key in found}  # noqa: C416 - mypy knows a row as a tuple of any length
    return [ids[key] for key in keys]


def _just_taken(new: Sequence[NewUser], what: str) -> Problem:
    """Somebody else was faster; of several users the database does not say which one is in the way."""
    if len(new) == 1:
        text = new[0].user_name if what == "userName" else str(new[0].email)
        return _exists(what, text).under("users", 0)
    return Conflict("Somebody took one of these names or addresses at this moment. Try again.", ("users",))


def _row(tx: Transaction, new: NewUser) -> dict[str, Any]:
    return {
        "user_name": new.user_name,
        "user_key": folded(new.user_name),
        "email": new.email,
        "email_key": None if new.email is None else folded(new.email),
        "password_hash": new.password_hash,
        "token_generation": 0,
        "details": new.metadata,
        "created_at": tx.now,
    }


async def update_user(tx: Transaction, viewer: Viewer, user: Way, changes: Changes) -> int:
    """Change what is given of a user who holds no more than the viewer."""
    key = await managed(tx, viewer, user)
    if changes.email is not None:
        await _set_email(tx, key, _address(changes.email))
    if changes.roles is not None:
        await roles.replace(tx, viewer, key, changes.roles)
    return key


async def _set_email(tx: Transaction, key: int, email: str | None) -> None:
    if problems := [*names.email_problems(email)]:
        raise Problems(problems)
    values = {"email": email, "email_key": None if email is None else folded(email)}
    try:
        await tx.rows(update(User).where(col(User.id) == key).values(**values))
    except Duplicate:
        raise _exists("email", str(email)) from None


async def assign_roles(tx: Transaction, viewer: Viewer, user: Way, wanted: Sequence[str]) -> int:
    """Make these the roles of a user, and no others."""
    return await update_user(tx, viewer, user, Changes(roles=wanted))


async def set_user_metadata(tx: Transaction, viewer: Viewer, user: Way, metadata: Any) -> int:
    """Replace a user's metadata. A list `roles` in it replaces her roles too, and makes those that are none yet."""
    key = await managed(tx, viewer, user)
    if problems := [*names.metadata_problems(metadata)]:
        raise Problems(problems)
    await tx.rows(update(User).where(col(User.id) == key).values(details=metadata))
    if "roles" in metadata:
        try:
            await roles.create_missing(tx, metadata["roles"])
            await roles.replace(tx, viewer, key, metadata["roles"])
        except Problem as problem:
            raise problem.under("metadata") from None
    return key


async def delete_user(tx: Transaction, viewer: Viewer, user: Way, successor: Way | None = None) -> int:
    """Delete a user with the roles she holds; answers the id she had. What she owned goes to the successor."""
    key = await managed(tx, viewer, user)
    if successor is not None and await found(tx, viewer, successor, "successor") == key:
        raise InvalidInput("A user does not succeed herself.", ("successor",))
    await tx.rows(delete(User).where(col(User.id) == key))
    await roles.keep_an_admin(tx, "user")
    return key


async def managed(tx: Transaction, viewer: Viewer, user: Way) -> int:
    """The id of a user whom the viewer may change: USERS_MANAGE, and no less than the user holds.

    Takes the lock under which nobody else changes who administers the registry.
    """
    policy.require(viewer, Permission.USERS_MANAGE)
    await tx.lock("admins")
    key = await found(tx, viewer, user)
    _, permissions = await roles.held(tx, key)
    policy.require_no_more(viewer, permissions, "This user")
    return key


async def found(tx: Transaction, viewer: Viewer, user: Way, path: str = "user") -> int:
    """The id of a user whom the viewer knows; raises NotFound."""
    way, key = user
    column = col(User.id) if way == "id" else col(User.user_key)
    bound = key if way == "id" else names.sought(str(key))
    statement = select(col(User.id)).where(column == bindparam("key", type_=column.type), policy.knows_user(viewer))
    row = await tx.row(statement.with_for_update(), key=bound, viewer_id=viewer.user_id)
    if row is None:
        raise NotFound("There is no such user.", (path,))
    return int(row[0])
