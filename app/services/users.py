"""Users: making, changing and deleting them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, bindparam, literal_column, select, union_all

from app import policy
from app.db import Transaction, UniqueViolation
from app.db.tables import KeyText, Role, RowId, User, UserRole, casefold_key, col
from app.domain.errors import Conflict, InvalidInput, NotFound, Problem, Problems
from app.domain.refs import RowRef
from app.domain.viewer import Permission, Viewer
from app.query.relations import Keys, among, texts
from app.security import session_tokens
from app.services import audit, roles, validation

MAX_AT_ONCE = 1_000
DEFAULT_ROLES = ("user",)


@dataclass(frozen=True, slots=True)
class UserCreate:
    """What a new user is made of. Without a password she cannot sign in until one is set.

    `is_service_account` is a program, which never signs in: API tokens let it in. `is_external` is one whom the
    external provider vouches for: her name may have characters that others have not.
    A list `roles` in the metadata goes before `roles`, and may name some that are none yet.
    """

    user_name: str
    email: str | None = None
    password_hash: str | None = None
    roles: Sequence[str] = DEFAULT_ROLES
    metadata: dict[str, Any] = field(default_factory=dict)
    is_external: bool = False
    is_service_account: bool = False


@dataclass(frozen=True, slots=True)
class UserUpdate:
    """What an update gives; None leaves it as it is. An e-mail of "" takes it away."""

    email: str | None = None
    roles: Sequence[str] | None = None


async def create_user(tx: Transaction, viewer: Viewer, new: UserCreate, wrong: Sequence[Problem] = ()) -> int:
    """Make one user; answers her id. `wrong` is what the caller found, to be named with the rest."""
    try:
        return (await create_users(tx, viewer, [new], [each.under("users", 0) for each in wrong]))[0]
    except Problems as refused:
        raise Problems([type(each)(each.message, each.path[2:]) for each in refused.problems]) from None


async def create_service_account(tx: Transaction, viewer: Viewer, user_name: str, roles: Sequence[str]) -> int:
    """Make a user for a program; answers its id."""
    return await create_user(tx, viewer, UserCreate(user_name, roles=roles, is_service_account=True))


async def is_service_account(tx: Transaction, key: int) -> bool:
    """Whether a user is a program."""
    return bool(await tx.value(_IS_ACCOUNT, key=key))


_IS_ACCOUNT = select(col(User.is_service_account)).where(col(User.id) == bindparam("key", type_=RowId()))


async def create_users(
    tx: Transaction, viewer: Viewer, new: Sequence[UserCreate], wrong: Sequence[Problem] = ()
) -> list[int]:
    """Make many users, all or none; answers their ids in the order given. Every offender is named, `wrong` too."""
    check_number(viewer, len(new))
    new = [replace(each, email=_address(each.email)) for each in new]
    known = await roles.load_named(tx, {name for each in new for name in each.roles})
    problems = [*_each_problem(new, known), *wrong, *_repeated(new), *await _load_taken(tx, new)]
    validation.raise_problems(problems)
    if any("roles" in each.metadata for each in new):
        new, known = await _with_told_roles(tx, new)
    for name in sorted({name for each in new for name in each.roles}):
        policy.require_equal_rights(viewer, known[casefold_key(name)][1], f"The role `{name}`")
    ids = await _insert(tx, new)
    audit.track_new(tx, audit.USER, ids)
    held = [
        (key, known[name][0]) for key, each in zip(ids, new, strict=True) for name in {*map(casefold_key, each.roles)}
    ]
    await roles.assign(tx, held)
    return ids


async def _with_told_roles(tx: Transaction, new: Sequence[UserCreate]) -> tuple[list[UserCreate], roles.RoleIds]:
    """The users with the roles that their metadata tells, which are made where they are none yet, and all by key."""
    await roles.create_missing(tx, [name for each in new for name in each.metadata.get("roles", ())])
    told = [replace(each, roles=each.metadata.get("roles", each.roles)) for each in new]
    return told, await roles.load_named(tx, {name for each in told for name in each.roles})


def check_number(viewer: Viewer, number: int) -> None:
    """Refuse somebody who makes no users, where nobody does, and to make none or too many at once."""
    policy.require(viewer, Permission.USERS_MANAGE)
    policy.require_local_accounts(viewer)
    if not 1 <= number <= MAX_AT_ONCE:
        raise InvalidInput(f"From 1 to {MAX_AT_ONCE:,} users are made at once, not {number:,}.", ("users",))


def _address(email: str | None) -> str | None:
    """A blank address is none."""
    return (email or "").strip() or None


def _each_problem(new: Sequence[UserCreate], known: dict[str, Any]) -> Iterator[Problem]:
    for at, each in enumerate(new):
        checks = (
            validation.user_name_problems(each.user_name, is_external=each.is_external),
            validation.email_problems(each.email),
            validation.metadata_problems(each.metadata),
            roles.role_not_found(each.roles, known),
        )
        yield from (problem.under("users", at) for check in checks for problem in check)


def _repeated(new: Sequence[UserCreate]) -> Iterator[Problem]:
    """The same name or address twice in one request."""
    given = (
        (at, what, text)
        for at, each in enumerate(new)
        for what, text in (("userName", each.user_name), ("email", each.email))
        if text is not None
    )
    for at, what, text in validation.duplicates(given, key=lambda each: (each[1], casefold_key(each[2]))):
        yield Conflict(f"`{text}` stands in this request twice.", ("users", at, what))


async def _load_taken(tx: Transaction, new: Sequence[UserCreate]) -> list[Problem]:
    """Names every user name and address that somebody has; the database has the last word when two arrive at once."""
    user_names = texts({validation.normalize_key(each.user_name) for each in new})
    emails = texts({validation.normalize_key(each.email) for each in new if each.email is not None})
    statement = select(col(User.user_key), col(User.email_key)).where(
        among(col(User.user_key), user_names) | among(col(User.email_key), emails)
    )
    rows = await tx.rows(statement)
    taken = {("userName", name) for name, _ in rows} | {("email", email) for _, email in rows}
    return [
        _exists(what, text).under("users", at)
        for at, each in enumerate(new)
        for what, text in (("userName", each.user_name), ("email", each.email))
        if text is not None and (what, casefold_key(text)) in taken
    ]


def _exists(what: str, text: str) -> Problem:
    kind = "user name" if what == "userName" else "e-mail address"
    return Conflict(
        f"The {kind} `{text}` is taken; letter case does not make it another.",
        (what,),
    )


async def _insert(tx: Transaction, new: Sequence[UserCreate]) -> list[int]:
    """Write the rows and read their ids back by name."""
    rows = [_row(tx, each) for each in new]
    try:
        await tx.insert(User, rows)
    except UniqueViolation as taken:
        raise Problems([_already_taken(new, "email" if "email" in taken.columns else "userName")]) from None
    keys = [row["user_key"] for row in rows]
    found = await tx.rows(select(col(User.user_key), col(User.id)).where(among(col(User.user_key), texts(keys))))
    ids: dict[str, int] = {name: key for name, key in found}  # noqa: C416 - mypy knows a row as a tuple of any length
    return [ids[key] for key in keys]


def _already_taken(new: Sequence[UserCreate], what: str) -> Problem:
    """Somebody else was faster; of several users the database does not say which one is in the way."""
    if len(new) == 1:
        text = new[0].user_name if what == "userName" else str(new[0].email)
        return _exists(what, text).under("users", 0)
    return Conflict("Somebody took one of these names or addresses at this moment. Try again.", ("users",))


def _row(tx: Transaction, new: UserCreate) -> dict[str, Any]:
    return {
        "user_name": new.user_name,
        "user_key": casefold_key(new.user_name),
        "email": new.email,
        "email_key": None if new.email is None else casefold_key(new.email),
        "password_hash": new.password_hash,
        "token_generation": session_tokens.new_generation(),
        "details": new.metadata,
        "is_service_account": new.is_service_account,
        "created_at": tx.now,
    }


async def update_user(tx: Transaction, viewer: Viewer, user: RowRef, changes: UserUpdate) -> int:
    """Change what is given of a user who holds no more than the viewer."""
    key = await load_managed(tx, viewer, user)
    policy.require_local_accounts(viewer)
    if changes.roles is not None:
        await roles.replace(tx, viewer, key, changes.roles)
    if changes.email is not None:
        await _set_email(tx, key, _address(changes.email))
    return key


_EMAIL = select(col(User.email)).where(col(User.id) == bindparam("key", type_=RowId()))


async def _set_email(tx: Transaction, key: int, email: str | None) -> None:
    problems = [*validation.email_problems(email)]
    if problems and email != await tx.value(_EMAIL, key=key):  # an older address may break newer rules
        raise Problems(problems)
    values = {"email": email, "email_key": None if email is None else casefold_key(email)}
    try:
        await tx.update(User, key, values)
    except UniqueViolation:
        raise _exists("email", str(email)) from None


async def assign_roles(tx: Transaction, viewer: Viewer, user: RowRef, wanted: Sequence[str]) -> int:
    """Make these the roles of a user, and no others."""
    return await update_user(tx, viewer, user, UserUpdate(roles=wanted))


async def set_user_metadata(tx: Transaction, viewer: Viewer, user: RowRef, metadata: Any) -> int:
    """Replace a user's metadata. A list `roles` in it replaces her roles too, and makes those that are none yet."""
    key = await load_managed(tx, viewer, user)
    if problems := [*validation.metadata_problems(metadata)]:
        raise Problems(problems)
    await tx.update(User, key, {"details": metadata})
    if "roles" in metadata:
        try:
            await roles.create_missing(tx, metadata["roles"])
            await roles.replace(tx, viewer, key, metadata["roles"])
        except Problem as problem:
            raise problem.under("metadata") from None
    return key


async def name_of(tx: Transaction, viewer: Viewer) -> str | None:
    """Return the user name of who makes a change, to be kept beside the id; None for the registry itself."""
    return await name_by_id(tx, viewer.user_id) if viewer.user_id else None


async def name_by_id(tx: Transaction, key: int) -> str:
    """Return the name of a user."""
    return str(
        await tx.value(select(col(User.user_name)).where(col(User.id) == bindparam("key", type_=RowId())), key=key)
    )


async def load_managed(tx: Transaction, viewer: Viewer, user: RowRef) -> int:
    """The id of a user whom the viewer may change: USERS_MANAGE, and no less than the user holds.

    Takes the lock under which nobody else changes who administers the registry.
    """
    policy.require(viewer, Permission.USERS_MANAGE)
    await tx.lock("admins")
    rows = await tx.rows(_select_managed(user[0], viewer.permission_profile), **_named_by(tx, viewer, user))
    if not rows:
        raise user_not_found(("user",))
    key: int = rows[0][0]
    policy.require_equal_rights(viewer, roles.roles_allowing(mask for _, mask in rows), "This user")
    await audit.track(tx, audit.USER, [key])
    return key


async def load_visible(tx: Transaction, viewer: Viewer, user: RowRef, path: str = "user") -> int:
    """The id of a user whom the viewer knows, or finds by her exact user name; raises NotFound."""
    row = await tx.row(_select_visible(user[0], viewer.permission_profile), **_named_by(tx, viewer, user))
    if row is None:
        raise user_not_found((path,))
    return int(row[0])


def user_not_found(path: Sequence[str | int]) -> Problem:
    """The one answer for a user who is not, and for one of whom the viewer may not know."""
    return NotFound("There is no such user.", path)


@cache
def _select_visible(way: str, viewer: Viewer) -> Select[Any]:
    return select(col(User.id)).where(*_select_referenced(way, viewer)).with_for_update()


@cache
def _select_managed(way: str, viewer: Viewer) -> Select[Any]:
    """The same, with the permissions of each role that she holds; nobody changes those meanwhile: see `managed`."""
    return (
        select(col(User.id), col(Role.permissions))
        .select_from(User)
        .outerjoin(UserRole, col(UserRole.user_id) == col(User.id))
        .outerjoin(Role, col(Role.id) == col(UserRole.role_id))
        .where(*_select_referenced(way, viewer))
        .with_for_update(of=User)
    )


def _select_referenced(way: str, viewer: Viewer) -> tuple[ColumnElement[bool], ...]:
    column, sees = (User.id, policy.knows_user) if way == "id" else (User.user_key, policy.finds_user)
    return col(column) == bindparam("key", type_=col(column).type), sees(viewer)


def _named_by(tx: Transaction, viewer: Viewer, user: RowRef) -> dict[str, Any]:
    """What the statements that find a user bind."""
    way, key = user
    return {"key": key if way == "id" else validation.normalize_key(str(key)), **viewer.bind_values, "now": tx.now}


def ref_by_name(user: RowRef) -> ColumnElement[bool]:
    """The user of a row is the one who is named."""
    way, key = user
    return col(User.id) == key if way == "id" else col(User.user_key) == validation.normalize_key(str(key))


async def is_viewer(tx: Transaction, viewer: Viewer, user: RowRef) -> bool:
    """Whether the user who is named is the one who asks."""
    return await tx.row(select(col(User.id)).where(ref_by_name(user), col(User.id) == viewer.user_id)) is not None


async def load_many(tx: Transaction, viewer: Viewer, users: Sequence[RowRef]) -> list[int | None]:
    """The same for many users in one statement; None for each that is not found."""
    ways = [(way, key if way == "id" else validation.normalize_key(str(key))) for way, key in users]
    rows = await tx.rows(
        _select_many(viewer.permission_profile),
        ids=[key for way, key in ways if way == "id"],
        names=[key for way, key in ways if way != "id"],
        **viewer.bind_values,
        now=tx.now,
    )
    known = {("user_name", user_key) if by_name else ("id", key): key for by_name, key, user_key in rows}
    return [known.get(way) for way in ways]


@cache
def _select_many(viewer: Viewer) -> Any:
    by_id = among(col(User.id), bindparam("ids", type_=Keys(RowId()))), policy.knows_user(viewer)
    by_name = among(col(User.user_key), bindparam("names", type_=Keys(KeyText()))), policy.finds_user(viewer)
    arms = [
        select(literal_column(str(at), Integer), col(User.id), col(User.user_key)).where(*conditions)
        for at, conditions in enumerate((by_id, by_name))
    ]
    return union_all(*arms)
