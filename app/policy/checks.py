"""The statement of access checks: the effective roles of many users on many resources, from the access index."""

from bisect import bisect_right
from collections.abc import Sequence
from functools import cache, reduce
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    FromClause,
    Integer,
    Select,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal_column,
    not_,
    or_,
    select,
    true,
    union_all,
)

from app.db.statements import Mergeable, Row
from app.db.tables import Access, RowId, User, aliased, col, from_of
from app.domain import resource_roles
from app.domain.resource_roles import SubjectType
from app.policy.conditions import OrderedJoin, is_valid_until
from app.policy.effective_subjects import (
    effective_subjects,
    is_active,
    membership_rows,
    subject_key_sql,
    subject_type_sql,
    subjects_by_seeks,
)
from app.policy.resources import bit_or, holds_access, roles_sql
from app.query.relations import Keys

EXPIRES = resource_roles.ALL + 1
"""The bit of a mask which marks that a role in it expires."""

NO_USER, NO_RESOURCE = 2 * EXPIRES, 4 * EXPIRES
"""Marks in the mask of a pair whose user or resource does not exist."""

PAIR = 2**31
"""A pair of a user and a resource is bound as one number: user id * 2^31 + resource id."""

WIDE_PAIR = 2**60
"""The factor for ids of 2^31 or more. Such a pair exceeds 64 bits, so it is never bound as a number."""

MANY_ENTRIES = 32
"""Above this many entries of a resource, a check iterates over the subjects of the user, which are then fewer."""

MANY_PAIRS = 64
"""From this many pairs of one user on, the subjects of the user are computed first."""

MAX_SUBJECTS = 5_000
"""Maximum number of subjects that one statement reads for several users."""

FEW_PAIRS = 4
"""Up to this many pairs, PostgreSQL always iterates over the subjects: starting the larger statement costs more."""

WIDTH = 2 * EXPIRES
"""The factor of the position in a row of `masks_of_pairs`."""


_Pairs = tuple[FromClause, ColumnElement[Any], ColumnElement[Any], ColumnElement[Any]]
"""The FROM clause of pairs, and for each its position from 0, its user id and its resource id."""


@cache
def masks_of_pairs(dialect: str, *, is_wide: bool = False, registry: bool = True, are_few: bool = False) -> Select[Any]:
    """Return the statement for the effective roles of many pairs of a user and a resource.

    Each row is one number: the position of a pair times `WIDTH`, plus roles of the user from one index entry. The roles
    of a pair are the union of its rows. They contain the bit `EXPIRES` if one of them expires. A pair of an active user
    and an existing resource has a row, also without a role. Other pairs have none. Without `registry`, roles through
    RESOURCES_MANAGE are left out.

    The statement binds `now` and `pairs`, a list of numbers (see `PAIR`). With `is_wide`, SQLite binds a list of pairs
    of ids as `pairs`, and PostgreSQL two lists `users` and `resources`.

    The outer loop of a pair is the entries of the resource: each needs at most one lookup by the key of a membership,
    so no set of subjects is computed. For a resource with many entries it is the subjects of the user. `are_few`
    promises at most `FEW_PAIRS`.
    """
    places = _wide_pairs(dialect) if is_wide else _pairs(dialect)
    if are_few and dialect == "postgresql":
        few = _by_subjects(places, registry=registry, more_than=0)
        return few if is_wide else Mergeable("pairs", _split_masks).mark(few)
    return union_all(  # type: ignore[return-value]  # a SELECT for all who execute it
        _by_entries(dialect, places, registry=registry),
        _by_subjects(places, registry=registry, more_than=MANY_ENTRIES),
    )


def _split_masks(rows: Sequence[Row], starts: Sequence[int]) -> list[list[Row]]:
    """Return the rows of each list of pairs, from the rows of all lists and the positions of their first pairs."""
    split: list[list[Row]] = [[] for _ in starts]
    for (number,) in rows:
        at = bisect_right(starts, number // WIDTH) - 1
        split[at].append((number - starts[at] * WIDTH,))
    return split


@cache
def masks_of_user(dialect: str, *, registry: bool = True) -> Select[Any]:
    """Return the statement for the effective roles of one user on many resources, with the rows of `masks_of_pairs`.

    It binds `now`, `user` and `resources`, a list of ids. The subjects of the user are computed once: so an entry costs
    a lookup among them, and none in the tables of memberships.
    """
    me = select(_USER.label("user")).subquery("me")
    subjects = effective_subjects(me, registry=None if registry else False).cte("mine").prefix_with("MATERIALIZED")
    requested = _requested_resources(dialect)
    return union_all(  # type: ignore[return-value]  # a SELECT for all who execute it
        _by_few_entries(dialect, requested, subjects), _by_own_subjects(requested, subjects)
    )


@cache
def subjects_of_users(*, registry: bool = True) -> Select[Any]:
    """Return the statement for the effective subjects of users: (user, subject, cap, end of the membership or null).

    It binds `now` and `keys`, a list of ids. Only active users have a row of the subject ANYONE. There are at most
    `MAX_SUBJECTS` rows.
    """
    rows = subjects_by_seeks(registry=registry).subquery("theirs")
    return select(rows.c.user, rows.c.subject, rows.c.cap, rows.c.until).limit(
        literal_column(str(MAX_SUBJECTS), Integer)
    )


@cache
def entries_of_resources(dialect: str) -> Select[Any]:
    """Return the statement for the entries of resources in the access index: (resource, subject, mask, end or null).

    It binds `resources`, a list of ids. Resources with more than `MANY_ENTRIES` entries have no row.
    """
    rows, _ = _bound_values(dialect, bindparam("resources", type_=Keys(RowId())))
    key, entry = cast(rows.c.value, RowId), aliased(Access)
    columns = col(entry.subject), col(entry.mask), col(entry.expires_at)
    is_entry = col(entry.resource_id) == key
    if dialect == "postgresql":
        own = select(*columns).where(is_entry).offset(_ZERO).correlate(rows).lateral("own")
        joined, columns = rows.join(own, true()), (own.c.subject, own.c.mask, own.c.expires_at)
    else:
        joined = OrderedJoin(rows, from_of(entry), is_entry)
    return select(key, *columns).select_from(joined).where(_has_few_entries(key, MANY_ENTRIES))


_USER = bindparam("user", type_=RowId())


def _requested_resources(dialect: str) -> CTE:
    """Return the bound resources, none unless the user is active: position, id, and whether they have few entries."""
    rows, at = _bound_values(dialect, bindparam("resources", type_=Keys(RowId())))
    resource_id = cast(rows.c.value, RowId)
    columns = at.label("at"), resource_id.label("id"), _has_few_entries(resource_id, MANY_ENTRIES).label("has_few")
    person = aliased(User)
    is_user = select(_ONE).where(col(person.id) == _USER, is_active(col(person.id))).exists()
    return select(*columns).select_from(rows).where(is_user).cte("requested").prefix_with("MATERIALIZED")


def _by_few_entries(dialect: str, requested: CTE, subjects: CTE) -> Select[Any]:
    """Return the rows of resources with few entries, one row for each entry of a subject of the user."""
    entry = aliased(Access)
    subject, entries = col(entry.subject), from_of(entry)
    unlimited = select(subjects.c.subject).where(subjects.c.cap == _ALL, subjects.c.until.is_(None))
    through_others = _roles_as(subjects, entry).where(subjects.c.subject == subject).correlate(entries)
    end = case((col(entry.expires_at).is_(None), _ZERO), else_=_EXPIRES)
    is_own = subject.in_(select(subjects.c.subject))
    roles = case((subject.in_(unlimited), col(entry.mask)), (is_own, through_others.scalar_subquery()), else_=_ZERO)
    applies = or_(is_own, subject == _REGISTRY)
    is_entry = and_(col(entry.resource_id) == requested.c.id, is_valid_until(entry.expires_at), applies)
    position = requested.c.at, requested.c.has_few
    return _with_roles(dialect, requested, [requested], position, entry, is_entry, _union(roles, end))


def _by_own_subjects(requested: CTE, subjects: CTE) -> Select[Any]:
    """Return the rows of resources with many entries, one row for each.

    The entry of each subject is looked up by a subquery: joined, both databases may read all entries of the resource.
    """
    entry = aliased(Access)
    end = case((col(entry.expires_at).is_(None), _ZERO), else_=_EXPIRES)
    is_entry = and_(col(entry.resource_id) == requested.c.id, col(entry.subject) == subjects.c.subject)
    granted = select(_union(col(entry.mask), end)).where(is_entry, is_valid_until(entry.expires_at))
    of_subject = granted.correlate(requested, subjects).scalar_subquery().label("granted")
    own = select(subjects.c.cap, subjects.c.until, of_subject).offset(_ZERO).correlate(requested).subquery("own")
    lasting = or_(own.c.granted.is_(None), and_(own.c.until.is_(None), own.c.granted < _EXPIRES))
    ends = func.coalesce(func.max(case((lasting, _ZERO), else_=_EXPIRES)), _ZERO)
    masks = select(bit_or(own.c.granted.op("&")(own.c.cap)) + ends).correlate(requested)
    return (
        select(_encode_position(requested.c.at, masks.scalar_subquery()))
        .select_from(requested)
        .where(not_(requested.c.has_few))
    )


def _roles_as(subjects: FromClause, entry: Any) -> Select[Any]:
    """Return the union of the roles that entries give to subjects, with the bit `EXPIRES` if one of them ends."""
    lasting = and_(col(entry.expires_at).is_(None), subjects.c.until.is_(None))
    ends = func.coalesce(func.max(case((lasting, 0), else_=EXPIRES)), 0)
    return select(bit_or(roles_sql(subjects, entry)) + ends)


def _has_few_entries(resource_id: ColumnElement[Any], maximum: int) -> ColumnElement[bool]:
    entry = aliased(Access)
    # The mask is in the same index as all that is read after it: a page less to read in a large registry.
    next_one = select(col(entry.mask)).where(col(entry.resource_id) == resource_id).correlate_except(entry)
    return next_one.offset(literal_column(str(maximum), Integer)).limit(_ONE).scalar_subquery().is_(None)


def _active_pairs(places: _Pairs, user: Any) -> OrderedJoin:
    """Return the pairs of active users, in this order of the loops."""
    pairs, _, user_id, _ = places
    return OrderedJoin(pairs, from_of(user), and_(col(user.id) == user_id, is_active(col(user.id))))


def _by_subjects(places: _Pairs, *, registry: bool, more_than: int) -> Select[Any]:
    """Return the rows of pairs whose resource has more entries than this, one row for each."""
    pairs, at, _, resource_id = places
    user, entry = aliased(User), aliased(Access)
    users = from_of(user)
    one = select(col(user.id).label("user")).correlate(users).subquery("one")
    subjects = effective_subjects(one, registry=None if registry else False).subquery("acting")
    rows = from_of(entry).join(subjects, holds_access(subjects, entry))
    masks = _roles_as(subjects, entry).select_from(rows).where(col(entry.resource_id) == resource_id)
    number = _encode_position(at, masks.correlate(pairs, users).scalar_subquery())
    return select(number).select_from(_active_pairs(places, user)).where(not_(_has_few_entries(resource_id, more_than)))


def _encode_position(at: ColumnElement[Any], roles: ColumnElement[Any]) -> ColumnElement[Any]:
    number: ColumnElement[Any] = cast(at, BigInteger) * literal_column(str(WIDTH), BigInteger) + roles
    return number


def _by_entries(dialect: str, places: _Pairs, *, registry: bool) -> Select[Any]:
    """Return the rows of all other pairs, one row for each entry that gives the user a role."""
    pairs, at, _, resource_id = places
    user, entry = aliased(User), aliased(Access)
    is_entry = and_(col(entry.resource_id) == resource_id, is_valid_until(entry.expires_at))
    position = at, _has_few_entries(resource_id, MANY_ENTRIES)
    roles = _roles(col(user.id), entry, registry=registry)
    return _with_roles(dialect, _active_pairs(places, user), [pairs, from_of(user)], position, entry, is_entry, roles)


def _with_roles(
    dialect: str,
    outer: FromClause,
    tables: Sequence[FromClause],
    position: tuple[ColumnElement[Any], ColumnElement[bool]],
    entry: Any,
    is_entry: ColumnElement[bool],
    roles: ColumnElement[Any],
) -> Select[Any]:
    """Return the rows of the entries that give a role, or are of the registry, for the rows of the outer loop.

    `tables` are those of the outer loop, and `position` is the position of a row and whether its resource has few
    entries. OFFSET keeps both databases from computing the roles twice, for the condition and for the result. LATERAL
    keeps PostgreSQL from reading the whole index, since its generic plan knows no number of pairs.
    """
    at, has_few = position
    columns = col(entry.subject).label("subject"), roles.label("roles")
    matches: Any
    rows: Any
    if dialect == "postgresql":
        matches = select(*columns).where(is_entry).offset(_ZERO).correlate(*tables).lateral("matches")
        rows = outer.join(matches, true())
    else:
        joined = OrderedJoin(outer, from_of(entry), is_entry)
        rows = matches = (
            select(at.label("at"), *columns).select_from(joined).where(has_few).offset(_ZERO).subquery("matches")
        )
        at, has_few = matches.c.at, true()
    has_role = matches.c.roles.op("&")(_ALL) != _ZERO
    return (
        select(_encode_position(at, matches.c.roles))
        .select_from(rows)
        .where(has_few, or_(has_role, matches.c.subject == _REGISTRY))
    )


_ZERO: Any = literal_column("0", Integer)
_EXPIRES: Any = literal_column(str(EXPIRES), Integer)
_ALL: Any = literal_column(str(resource_roles.ALL), Integer)
_REGISTRY: Any = literal_column(str(resource_roles.REGISTRY), BigInteger)


def _roles(user: ColumnElement[Any], entry: Any, *, registry: bool) -> ColumnElement[Any]:
    """Return the roles that an index entry gives to an active user; `effective_subjects` states the same as rows."""
    subject, mask = col(entry.subject), col(entry.mask)
    kind, key = subject_type_sql(subject), cast(subject_key_sql(subject), RowId)
    by_kind: dict[SubjectType, list[ColumnElement[Any]]] = {
        SubjectType.ANYONE: [mask],
        SubjectType.GENERAL: [mask],
        SubjectType.USER: [case((key == user, mask), else_=_ZERO)],
        SubjectType.OWNER: [case((key == user, mask), else_=_ZERO)],
    }
    for membership in membership_rows():
        if registry or membership.kind is not SubjectType.REGISTRY:
            ends = case((membership.until.is_(None), _ZERO), else_=_EXPIRES)
            roles = select(mask.op("&")(membership.cap).op("|")(ends)).select_from(membership.rows)
            # LIMIT: a user can have several roles with RESOURCES_MANAGE, which all give the same.
            matches = roles.where(membership.user == user, membership.key == key, membership.where).limit(_ONE)
            roles_or_none = func.coalesce(matches.correlate_except(membership.rows).scalar_subquery(), _ZERO)
            by_kind.setdefault(membership.kind, []).append(roles_or_none)
    whens = {int(each): reduce(_union, roles) for each, roles in by_kind.items()}
    end = case((col(entry.expires_at).is_(None), _ZERO), else_=_EXPIRES)
    return _union(case(whens, value=kind, else_=_ZERO), end)


_ONE: Any = literal_column("1", Integer)


def _union(roles: ColumnElement[Any], others: ColumnElement[Any]) -> ColumnElement[Any]:
    union: ColumnElement[Any] = roles.op("|")(others)
    return union


def _bound_values(dialect: str, values: Any) -> tuple[Any, ColumnElement[Any]]:
    """Return the rows of a bound list, with the column `value`, and their position from 0."""
    if dialect == "postgresql":
        rows = _numbered(func.unnest(values), "value")
        return rows, rows.c.at - 1
    rows = func.json_each(values).table_valued("key", "value", name="pairs")
    return rows, rows.c.key


def _pairs(dialect: str) -> _Pairs:
    rows, at = _bound_values(dialect, bindparam("pairs", type_=Keys(BigInteger())))
    value = cast(rows.c.value, BigInteger)
    return rows, at, value // PAIR, value % PAIR


def _wide_pairs(dialect: str) -> _Pairs:
    if dialect == "postgresql":
        ids = [bindparam(name, type_=Keys(RowId())) for name in ("users", "resources")]
        rows: Any = _numbered(func.unnest(*ids), "user", "resource")
        at, user, resource = rows.c.at - 1, rows.c.user, rows.c.resource
    else:
        rows = func.json_each(bindparam("pairs", type_=Keys(RowId()))).table_valued("key", "value", name="pairs")
        at = rows.c.key
        user, resource = (func.json_extract(rows.c.value, f"$[{place}]") for place in (0, 1))
    return rows, at, cast(user, RowId), cast(resource, RowId)


def _numbered(elements: Any, *columns: str) -> Any:
    """Return the elements of arrays as rows with these columns, and their position from 1 as the column `at`."""
    return elements.table_valued(*columns, with_ordinality="at", name="pairs").render_derived()
