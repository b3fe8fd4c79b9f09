"""Creating and updating users, and loading the users whom a change names."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, Text, bindparam, literal_column, select, union_all

from app import policy
from app.db import Transaction, UniqueViolation
from app.db.tables import Role, RowId, User, UserRole, casefold_key, col, sort_key
from app.domain.errors import Conflict, InvalidInput, NotFound, Problem, Problems
from app.domain.refs import RowRef
from app.domain.viewer import Permission, Viewer
from app.query.relations import Keys, among, texts
from app.security import session_tokens
from app.services import audit, roles, tracked_rows, user_refs, validation
from app.services.audit.states import USER_STATE, read_users

MAX_AT_ONCE = 1_000
DEFAULT_ROLES = ("user",)


@dataclass(frozen=True, slots=True)
class UserCreate:
    """Values of a new user. A user without a password cannot sign in until one is set.

    A service account (`is_service_account`) is a program that uses API tokens and never signs in. The name of a user
    of the identity provider (`is_external`) may have additional characters. A list `roles` in the metadata takes
    precedence over `roles`, and its missing roles are created.
    """

    user_name: str
    email: str | None = None
    password_hash: str | None = None
    roles: Sequence[str] = DEFAULT_ROLES
    metadata: dict[str, Any] = field(default_factory=dict)
    is_external: bool = False
    is_service_account: bool = False
    display_name: str | None = None


@dataclass(frozen=True, slots=True)
class UserUpdate:
    """New values of a user; None leaves a value unchanged, and "" deletes the display name or the e-mail address."""

    email: str | None = None
    roles: Sequence[str] | None = None
    display_name: str | None = None


class UserDetails(NamedTuple):
    """Stored details of a user."""

    user_name: str
    display_name: str | None
    email: str | None


async def create_user(tx: Transaction, viewer: Viewer, new: UserCreate, problems: Sequence[Problem] = ()) -> int:
    """Create a user and return the id. The caller's `problems` are reported together with those of the user."""
    try:
        return (await create_users(tx, viewer, [new], [each.under("users", 0) for each in problems]))[0]
    except Problems as error:
        raise Problems([type(each)(each.message, each.path[2:]) for each in error.problems]) from None


async def create_service_account(
    tx: Transaction, viewer: Viewer, user_name: str, roles: Sequence[str], display_name: str | None = None
) -> int:
    """Create a service account and return its id."""
    new = UserCreate(user_name, roles=roles, is_service_account=True, display_name=display_name)
    return await create_user(tx, viewer, new)


async def is_service_account(tx: Transaction, key: int) -> bool:
    return bool(await tx.value(_IS_SERVICE_ACCOUNT, key=key))


_IS_SERVICE_ACCOUNT = select(col(User.is_service_account)).where(col(User.id) == bindparam("key", type_=RowId()))


async def create_users(
    tx: Transaction, viewer: Viewer, new: Sequence[UserCreate], problems: Sequence[Problem] = ()
) -> list[int]:
    """Create all users or none, and return their ids in order; raise Problems with every problem.

    Needs USERS_MANAGE, and every permission of the users' roles.
    """
    require_create(viewer, len(new))
    new = [replace(each, email=strip(each.email), display_name=strip(each.display_name)) for each in new]
    roles_by_key = await roles.load_by_name(tx, {name for each in new for name in each.roles})
    validation.raise_problems(
        [*_value_problems(new, roles_by_key), *problems, *_duplicate_problems(new), *await _load_taken(tx, new)]
    )
    if any("roles" in each.metadata for each in new):
        new, roles_by_key = await _apply_metadata_roles(tx, new)
    for name in sorted({name for each in new for name in each.roles}):
        policy.require_equal_rights(viewer, roles_by_key[casefold_key(name)][1], f"The role `{name}`")
    ids = await tracked_rows.insert(tx, User, [row(tx, each) for each in new], "user_key")
    assignments = [
        (user_id, roles_by_key[key][0])
        for user_id, each in zip(ids, new, strict=True)
        for key in {*map(casefold_key, each.roles)}
    ]
    await roles.assign(tx, assignments)
    return ids


async def _apply_metadata_roles(
    tx: Transaction, new: Sequence[UserCreate]
) -> tuple[list[UserCreate], roles.RolesByKey]:
    """Create the missing roles of the metadata, and return the users with the roles of their metadata."""
    await roles.create_missing(tx, [name for each in new for name in each.metadata.get("roles", ())])
    updated = [replace(each, roles=each.metadata.get("roles", each.roles)) for each in new]
    return updated, await roles.load_by_name(tx, {name for each in updated for name in each.roles})


def require_create(viewer: Viewer, number: int) -> None:
    """Raise unless the viewer may create users here, and as many at once."""
    policy.require(viewer, Permission.USERS_MANAGE)
    policy.require_local_accounts(viewer)
    if not 1 <= number <= MAX_AT_ONCE:
        raise InvalidInput(f"`users` takes 1 to {MAX_AT_ONCE:,} users, not {number:,}.", ("users",))


def strip(text: str | None) -> str | None:
    """Return the text without spaces around it, None if it is blank."""
    return (text or "").strip() or None


def value_problems(new: UserCreate, roles_by_key: roles.RolesByKey) -> Iterator[Problem]:
    """Yield the problems of a new user's values; `roles_by_key` has the roles that exist."""
    yield from validation.user_name_problems(new.user_name, is_external=new.is_external)
    yield from validation.display_name_problems(new.display_name)
    yield from validation.email_problems(new.email)
    yield from validation.metadata_problems(new.metadata)
    yield from roles.missing_role_problems(new.roles, roles_by_key)


def _value_problems(new: Sequence[UserCreate], roles_by_key: roles.RolesByKey) -> Iterator[Problem]:
    for at, each in enumerate(new):
        yield from (problem.under("users", at) for problem in value_problems(each, roles_by_key))


def _names_and_emails(new: Sequence[UserCreate]) -> Iterator[tuple[int, str, str]]:
    """Yield the index, the field and the text of each user name and e-mail address."""
    for at, each in enumerate(new):
        yield at, "userName", each.user_name
        if each.email is not None:
            yield at, "email", each.email


def _duplicate_problems(new: Sequence[UserCreate]) -> Iterator[Problem]:
    """Yield a problem for each name or address that an earlier user of the request has."""
    items = _names_and_emails(new)
    for at, field_name, text in validation.duplicates(items, key=lambda item: (item[1], casefold_key(item[2]))):
        yield Conflict(f"`{text}` is listed more than once. Remove the duplicate.", ("users", at, field_name))


async def _load_taken(tx: Transaction, new: Sequence[UserCreate]) -> list[Problem]:
    """Return a problem for each name or address that an existing user has.

    The unique indexes of the database refuse those of concurrent requests.
    """
    user_names = texts({validation.normalize_key(each.user_name) for each in new})
    emails = texts({validation.normalize_key(each.email) for each in new if each.email is not None})
    statement = select(col(User.user_key), col(User.email_key)).where(
        among(col(User.user_key), user_names) | among(col(User.email_key), emails)
    )
    rows = await tx.rows(statement)
    taken = {("userName", name) for name, _ in rows} | {("email", email) for _, email in rows}
    return [
        name_taken(field_name, text).under("users", at)
        for at, field_name, text in _names_and_emails(new)
        if (field_name, casefold_key(text)) in taken
    ]


def name_taken(field_name: str, text: str) -> Problem:
    label = "user name" if field_name == "userName" else "email address"
    return Conflict(f"The {label} `{text}` is taken. Letter case makes no difference.", (field_name,))


def row(tx: Transaction, new: UserCreate) -> dict[str, Any]:
    """Return the columns of a new user."""
    return {
        "user_name": new.user_name,
        "user_key": casefold_key(new.user_name),
        **display_values(new.display_name, new.user_name),
        "email": new.email,
        "email_key": None if new.email is None else casefold_key(new.email),
        "password_hash": new.password_hash,
        "token_generation": session_tokens.new_generation(),
        "details": new.metadata,
        "is_service_account": new.is_service_account,
        "created_at": tx.now,
    }


def display_values(display_name: str | None, user_name: str) -> dict[str, Any]:
    """Return the columns of a display name; without one, the user name is the key."""
    return {"display_name": display_name, "display_key": sort_key(display_name or user_name)}


async def update_user(tx: Transaction, viewer: Viewer, user: RowRef, changes: UserUpdate) -> int:
    """Change values of a user; needs USERS_MANAGE, and every permission of the user."""
    key, details = await load_managed_details(tx, viewer, user)
    policy.require_local_accounts(viewer)
    if changes.roles is not None:
        await roles.replace(tx, viewer, key, changes.roles)
    await set_details(tx, key, details, changes)
    return key


def require_valid_details(changes: UserUpdate, old_name: str | None, old_email: str | None) -> None:
    """Raise Problems for a new e-mail address or display name. An unchanged value may break newer rules."""
    problems: list[Problem] = []
    if changes.email is not None and (email := strip(changes.email)) != old_email:
        problems += validation.email_problems(email)
    if changes.display_name is not None and (name := strip(changes.display_name)) != old_name:
        problems += validation.display_name_problems(name)
    validation.raise_problems(problems)


async def set_details(tx: Transaction, key: int, old: UserDetails, changes: UserUpdate) -> bool:
    """Set the e-mail address and the display name, and return whether one changes; raise Problems with all problems.

    The caller has locked the row of the user and read the old details from it.
    """
    name = old.display_name if changes.display_name is None else strip(changes.display_name)
    email = old.email if changes.email is None else strip(changes.email)
    require_valid_details(changes, old.display_name, old.email)
    values = {} if name == old.display_name else display_values(name, old.user_name)
    if email != old.email:
        values |= {"email": email, "email_key": None if email is None else casefold_key(email)}
    try:
        if values:
            await tx.update(User, key, values, incremented=audit.claim_revision(tx, audit.USER, key))
    except UniqueViolation:
        raise name_taken("email", str(email)) from None
    return bool(values)


async def assign_roles(tx: Transaction, viewer: Viewer, user: RowRef, names: Sequence[str]) -> int:
    """Replace the roles of a user."""
    return await update_user(tx, viewer, user, UserUpdate(roles=names))


async def set_user_metadata(tx: Transaction, viewer: Viewer, user: RowRef, metadata: Any) -> int:
    """Replace a user's metadata. A list `roles` in it replaces the user's roles too, and missing roles are created."""
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
    """Return the viewer's user name, to be stored with the id; None for the system."""
    return await name_by_id(tx, viewer.user_id) if viewer.user_id else None


async def name_by_id(tx: Transaction, key: int) -> str:
    return str(await tx.value(_NAME, key=key))


_NAME = select(col(User.user_name)).where(col(User.id) == bindparam("key", type_=RowId()))


async def load_managed(tx: Transaction, viewer: Viewer, user: RowRef) -> int:
    """Return the id of a user like `load_managed_details`."""
    return (await load_managed_details(tx, viewer, user))[0]


async def load_managed_details(tx: Transaction, viewer: Viewer, user: RowRef) -> tuple[int, UserDetails]:
    """Return the id and the details of a user; needs USERS_MANAGE, and every permission of the user.

    The user is tracked for the audit.

    Raise OutdatedRevision if the client has read another revision.
    The lock `admins` serializes all changes of the set of administrators.
    """
    policy.require(viewer, Permission.USERS_MANAGE)
    await tx.lock("admins")
    rows = await tx.rows(_select_managed(user[0], viewer.permission_profile), **_bind_values(tx, viewer, user))
    if not rows:
        raise user_not_found(("user",))
    key: int = rows[0][0]
    policy.require_equal_rights(viewer, roles.combine_permissions(mask for _, mask, *_ in rows), "This user")
    await audit.require_current(tx, audit.USER, key)
    audit.track_loaded(tx, audit.USER, read_users((row[0], *row[2:]) for row in rows))
    return key, UserDetails(*rows[0][2:5])


async def load_visible(tx: Transaction, viewer: Viewer, user: RowRef, path: str = "user") -> int:
    """Return the id of a user whom the viewer may see, or names by the exact user name; raise NotFound."""
    row = await tx.row(_select_visible(user[0], viewer.permission_profile), **_bind_values(tx, viewer, user))
    if row is None:
        raise user_not_found((path,))
    return int(row[0])


def user_not_found(path: Sequence[str | int]) -> Problem:
    """Return the problem for a user who does not exist, or whom the viewer may not see."""
    return NotFound("There is no such user.", path)


@cache
def _select_visible(by: str, viewer: Viewer) -> Select[Any]:
    return select(col(User.id)).where(*_ref_conditions(by, viewer)).with_for_update()


@cache
def _select_managed(by: str, viewer: Viewer) -> Select[Any]:
    """Return the locking statement for the user's id, permissions and state (`read_users`), a row for each role."""
    return (
        select(col(User.id), col(Role.permissions), *USER_STATE)
        .select_from(User)
        .outerjoin(UserRole, col(UserRole.user_id) == col(User.id))
        .outerjoin(Role, col(Role.id) == col(UserRole.role_id))
        .where(*_ref_conditions(by, viewer))
        .order_by(col(Role.name_key))
        .with_for_update(of=User)
    )


def _ref_conditions(by: str, viewer: Viewer) -> tuple[ColumnElement[bool], ...]:
    column, sees = user_refs.COLUMNS[by]
    return col(column) == bindparam("key", type_=col(column).type), sees(viewer)


def _bind_values(tx: Transaction, viewer: Viewer, user: RowRef) -> dict[str, Any]:
    return {"key": validation.normalize_ref(user)[1], **viewer.bind_values, "now": tx.now}


async def is_viewer(tx: Transaction, viewer: Viewer, user: RowRef) -> bool:
    statement = select(col(User.id)).where(user_refs.matches(viewer, user), col(User.id) == viewer.user_id)
    return await tx.row(statement, **viewer.bind_values) is not None


async def load_many(tx: Transaction, viewer: Viewer, users: Sequence[RowRef]) -> list[int | None]:
    """Return the ids of users like `load_visible`, in one statement and without row locks; None for a missing user."""
    refs = validation.normalize_refs(users)
    keys = {f"{by}_keys": [key for column, key in refs if column == by] for by in user_refs.COLUMNS}
    rows = await tx.rows(_select_many(viewer.permission_profile), **keys, **viewer.bind_values, now=tx.now)
    ids = {}
    for by, user_id, user_key, email_key in rows:
        ids[by, {"id": user_id, "user_name": user_key, "email": email_key}[by]] = user_id
    return [ids.get(ref) for ref in refs]


@cache
def _select_many(viewer: Viewer) -> Any:
    return union_all(
        *(
            select(literal_column(f"'{by}'", Text), col(User.id), col(User.user_key), col(User.email_key)).where(
                among(col(column), bindparam(f"{by}_keys", type_=Keys(col(column).type))), sees(viewer)
            )
            for by, (column, sees) in user_refs.COLUMNS.items()
        )
    )
