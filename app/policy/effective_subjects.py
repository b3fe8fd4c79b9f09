"""As whom somebody acts: the one place that knows how rows of groups, orgs and roles lead to rights on resources."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    CompoundSelect,
    FromClause,
    Integer,
    and_,
    bindparam,
    case,
    cast,
    inspect,
    literal_column,
    null,
    select,
    true,
    union_all,
)
from sqlalchemy.orm import aliased

from app.db.tables import Grant, GroupMember, Org, OrgMember, Role, RowId, User, UserRole, UTCDateTime, col
from app.domain import resource_roles
from app.domain.resource_roles import MemberLevel, SubjectType
from app.domain.viewer import DEACTIVATED, Permission, Viewer
from app.policy.conditions import asks_about_everybody, is_valid_until
from app.query.relations import VIEWER_ID, Keys, among


@dataclass(frozen=True, slots=True)
class _SubjectRows:
    """One way to act as a subject: rows that say for which user and key, how much of its roles she gets, until when."""

    kind: SubjectType
    rows: FromClause
    user: ColumnElement[Any]
    key: ColumnElement[Any]
    cap: ColumnElement[Any]
    level: ColumnElement[Any] = field(default_factory=null)
    until: ColumnElement[Any] = field(default_factory=null)
    where: ColumnElement[bool] = field(default_factory=true)


_FULL_SIGHT = literal_column(str(resource_roles.ALL), Integer)


def by_membership() -> list[_SubjectRows]:
    """The ways that rows tell of: groups, orgs as member and as owner, and the roles of the registry."""
    return [_as_group(), _as_member(), _as_owner(), _as_registry()]


def _as_group() -> _SubjectRows:
    member = aliased(GroupMember)
    return _SubjectRows(
        SubjectType.GROUP,
        inspect(member).selectable,
        col(member.user_id),
        col(member.group_id),
        _FULL_SIGHT,
        until=col(member.expires_at),
        where=is_valid_until(member.expires_at),
    )


def _as_member() -> _SubjectRows:
    """A member of an org acts as its people, up to her level."""
    person = aliased(OrgMember)
    caps: Iterator[Any] = (
        (col(person.level) == int(level), literal_column(str(cap))) for level, cap in resource_roles.CAPS.items()
    )
    return _SubjectRows(
        SubjectType.ORG,
        inspect(person).selectable,
        col(person.user_id),
        col(person.org_id),
        case(*caps, else_=0),
        col(person.level),
        col(person.expires_at),
        is_valid_until(person.expires_at),
    )


def _as_owner() -> _SubjectRows:
    """The owner of an org acts as its people, without a limit."""
    owned = aliased(Org)
    level = literal_column(str(int(MemberLevel.ADMIN)), Integer)
    return _SubjectRows(
        SubjectType.ORG, inspect(owned).selectable, col(owned.owner_id), col(owned.id), _FULL_SIGHT, level
    )


def _as_registry() -> _SubjectRows:
    """Who holds a role with RESOURCES_MANAGE."""
    held, role = aliased(UserRole), aliased(Role)
    rows = inspect(held).selectable.join(inspect(role).selectable, col(role.id) == col(held.role_id))
    manages = col(role.permissions).op("&")(Permission.RESOURCES_MANAGE.value) != 0
    return _SubjectRows(
        SubjectType.REGISTRY, rows, col(held.user_id), literal_column("0", Integer), _FULL_SIGHT, where=manages
    )


def subject(kind: SubjectType, key: Any) -> ColumnElement[Any]:
    made: ColumnElement[Any] = cast(key, BigInteger) * resource_roles.SUBJECT_TYPES + int(kind)
    return made


def _number(always: int) -> ColumnElement[Any]:
    """A subject that is always the same; cast, since SQLite puts no index on a column whose first row has no type."""
    return cast(literal_column(str(always)), BigInteger)


def is_general(viewer: Viewer) -> ColumnElement[bool]:
    """The entry of every signed-in user."""
    return col(Grant.subject) == resource_roles.GENERAL


def is_anyone(viewer: Viewer) -> ColumnElement[bool]:
    """The entry of everybody."""
    return col(Grant.subject) == resource_roles.ANYONE


def effective_subjects(
    people: FromClause, *, registry: bool | None = None, among_others: ColumnElement[bool] | None = None
) -> CompoundSelect[Any]:
    """As whom each of some people acts: (user, subject, cap, level, until).

    `people` has a column `user`: active users, or NULL for nobody, who acts as ANYONE alone. `cap` is what of the
    subject's roles she gets. `registry` overrules whether they hold RESOURCES_MANAGE, where that is known already;
    `among_others` narrows for whom the rows tell it.
    """
    user = people.c.user
    plain = [
        (_number(resource_roles.ANYONE), true()),
        (_number(resource_roles.GENERAL), user.is_not(None)),
        (subject(SubjectType.USER, user), user.is_not(None)),
        (subject(SubjectType.OWNER, user), user.is_not(None)),
    ]
    if registry:
        plain.append((_number(resource_roles.REGISTRY), user.is_not(None)))
    arms = [
        select(user.label("user"), number.label("subject"), _FULL_SIGHT.label("cap"), _NO_LEVEL, _NO_END)
        .select_from(people)
        .where(condition)
        for number, condition in plain
    ]
    for way in by_membership():
        where = way.where
        if way.kind is SubjectType.REGISTRY:
            if registry is not None:
                continue
            where = where if among_others is None else and_(where, among_others)
        told = (
            user.label("user"),
            subject(way.kind, way.key).label("subject"),
            way.cap.label("cap"),
            way.level,
            way.until,
        )
        arms.append(select(*told).select_from(people.join(way.rows, way.user == user)).where(where))
    return union_all(*arms)


_NO_LEVEL = cast(null(), Integer).label("level")
_NO_END = cast(null(), UTCDateTime).label("until")

_ME = select(VIEWER_ID.label("user")).subquery("me")


HeldKinds = tuple[bool, bool]
"""Whether the viewer holds RESOURCES_MANAGE, and whether she asks by a limited token."""

BOTH = (False, True)

KINDS_OF_VIEWER: tuple[HeldKinds, ...] = tuple((held, limited) for held in BOTH for limited in BOTH)


def _viewer_subjects(held: HeldKinds) -> CTE:
    """Worked out once: PostgreSQL would else do so for every row that is judged by it."""
    found = effective_subjects(_ME, registry=held[0]).cte(_cte_name("mine", held))
    return found.prefix_with("MATERIALIZED", dialect="postgresql")


def _cte_name(name: str, held: HeldKinds) -> str:
    return name + "_and_all" * held[0] + "_limited" * held[1]


def _held_kinds(viewer: Viewer) -> HeldKinds:
    return Permission.RESOURCES_MANAGE in viewer.permissions, viewer.is_limited


VIEWER_SUBJECTS = {held: _viewer_subjects(held) for held in KINDS_OF_VIEWER}
"""As whom the viewer acts."""


def viewer_subjects(viewer: Viewer) -> CTE:
    """As whom the viewer acts."""
    return VIEWER_SUBJECTS[_held_kinds(viewer)]


def is_active(user: Any) -> ColumnElement[bool]:
    """Does not hold the role that takes everything away."""
    held_, role = aliased(UserRole), aliased(Role)
    return ~(
        select(literal_column("1"))
        .where(col(held_.user_id) == user, col(role.id) == col(held_.role_id), col(role.name_key) == DEACTIVATED)
        .correlate_except(held_, role)
        .exists()
    )


def asked_users() -> FromClause:
    """The active users among the bound `keys`: (user); looked up once, however many ways they may act."""
    keys = bindparam("keys", type_=Keys(RowId()))
    return select(col(User.id).label("user")).where(among(col(User.id), keys), is_active(col(User.id))).cte("asked")


USER_SUBJECTS = effective_subjects(asked_users()).cte("theirs")
"""As whom each of the users acts whose ids are the bound `keys`."""


Visible = tuple[bool, bool, bool]
"""Whether the viewer holds RESOURCES_MANAGE, whether they ask about others, and whether their token is limited."""

_VISIBLE: tuple[Visible, ...] = tuple((own, others, limited) for own in BOTH for others in BOTH for limited in BOTH)


def _user_subjects(told: Visible) -> CTE:
    own, others, limited = told
    asked = asked_users()
    if not others and not own:
        found = effective_subjects(asked, registry=False)
    else:
        found = effective_subjects(asked, among_others=None if own else asked.c.user != VIEWER_ID)
    return found.cte("theirs" + "_and_all" * own + "_of_others" * others + "_limited" * limited)


_USER_SUBJECTS = {told: _user_subjects(told) for told in _VISIBLE}


def user_subjects(viewer: Viewer) -> CTE:
    """As whom each asked user acts; who may ask is the guard of the edge.

    That is the viewer alone without ACCESS_VIEW. The viewer may have a role that carries RESOURCES_MANAGE, and ask by a
    token that does not: of the viewer the permissions tell it, of others the rows.
    """
    held, limited = _held_kinds(viewer)
    return _USER_SUBJECTS[held, asks_about_everybody(viewer), limited]


SCOPED_SUBJECTS = frozenset(
    [
        *(acting for held, acting in VIEWER_SUBJECTS.items() if held[-1]),
        *(acting for told, acting in _USER_SUBJECTS.items() if told[-1]),
    ]
)
"""Who acts so does it only on what the viewer's token is good for."""
