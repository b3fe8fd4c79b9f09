"""Effective subjects: the subjects that a user acts as, derived from the rows of groups, orgs and roles."""

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
    Select,
    and_,
    bindparam,
    case,
    cast,
    literal_column,
    not_,
    null,
    select,
    true,
    union_all,
)

from app.db.tables import (
    Grant,
    GroupMember,
    Org,
    OrgMember,
    Role,
    RowId,
    User,
    UserRole,
    UTCDateTime,
    aliased,
    col,
    from_of,
)
from app.domain import resource_roles
from app.domain.resource_roles import MemberLevel, SubjectType
from app.domain.viewer import DEACTIVATED, Permission, Viewer
from app.policy.conditions import asks_about_everybody, is_valid_until
from app.query.relations import VIEWER_ID, Keys, among


@dataclass(frozen=True, slots=True)
class SubjectRows:
    """Rows that make users act as subjects of one type: user, key, the cap of their roles, org level and expiry."""

    kind: SubjectType
    rows: FromClause
    user: ColumnElement[Any]
    key: ColumnElement[Any]
    cap: ColumnElement[Any]
    level: ColumnElement[Any] = field(default_factory=null)
    until: ColumnElement[Any] = field(default_factory=null)
    where: ColumnElement[bool] = field(default_factory=true)


_NO_CAP = literal_column(str(resource_roles.ALL), Integer)


def membership_rows() -> list[SubjectRows]:
    """Return the rows by which users act as groups, as orgs (members and owners), and as the registry."""
    return [_as_group(), _as_member(), _as_owner(), _as_registry()]


def _as_group() -> SubjectRows:
    member = aliased(GroupMember)
    return SubjectRows(
        SubjectType.GROUP,
        from_of(member),
        col(member.user_id),
        col(member.group_id),
        _NO_CAP,
        until=col(member.expires_at),
        where=is_valid_until(member.expires_at),
    )


def _as_member() -> SubjectRows:
    """Return the rows of org members; the level caps the roles of a member."""
    person = aliased(OrgMember)
    caps: Iterator[Any] = (
        (col(person.level) == int(level), literal_column(str(cap))) for level, cap in resource_roles.CAPS.items()
    )
    return SubjectRows(
        SubjectType.ORG,
        from_of(person),
        col(person.user_id),
        col(person.org_id),
        case(*caps, else_=0),
        col(person.level),
        col(person.expires_at),
        is_valid_until(person.expires_at),
    )


def _as_owner() -> SubjectRows:
    """Return the rows of org owners, whose roles have no cap."""
    owned = aliased(Org)
    level = literal_column(str(int(MemberLevel.ADMIN)), Integer)
    return SubjectRows(SubjectType.ORG, from_of(owned), col(owned.owner_id), col(owned.id), _NO_CAP, level)


def _as_registry() -> SubjectRows:
    """Return the rows of users whose system roles carry RESOURCES_MANAGE."""
    user_role, role = aliased(UserRole), aliased(Role)
    rows = from_of(user_role).join(from_of(role), col(role.id) == col(user_role.role_id))
    manages = col(role.permissions).op("&")(Permission.RESOURCES_MANAGE.value) != 0
    return SubjectRows(
        SubjectType.REGISTRY, rows, col(user_role.user_id), literal_column("0", Integer), _NO_CAP, where=manages
    )


def subject_id(kind: SubjectType, key: Any) -> ColumnElement[Any]:
    """Return the number of a subject in the access index: its key and its type in one integer."""
    number: ColumnElement[Any] = cast(key, BigInteger) * _SUBJECT_TYPES + literal_column(str(int(kind)), BigInteger)
    return number


def subject_type_sql(subject: Any) -> ColumnElement[Any]:
    """Return the `SubjectType` of a subject's number."""
    kind: ColumnElement[Any] = subject % _SUBJECT_TYPES
    return kind


def subject_key_sql(subject: Any) -> ColumnElement[Any]:
    """Return the key of a subject's number: the id of its user, group or org."""
    key: ColumnElement[Any] = subject // _SUBJECT_TYPES
    return key


_SUBJECT_TYPES: ColumnElement[int] = literal_column(str(resource_roles.SUBJECT_TYPES), BigInteger)
"""A constant of the SQL, not a bound value: subjects join tables, and record 0231 tells why that matters."""


def _constant_subject(number: int) -> ColumnElement[Any]:
    """Return a subject that is one for all users, cast since SQLite indexes no column whose first row is untyped."""
    return cast(literal_column(str(number)), BigInteger)


def grant_has_ended(viewer: Viewer) -> ColumnElement[bool]:
    """Return the condition that the grant of the row has ended."""
    return not_(is_valid_until(Grant.expires_at))


def is_general(viewer: Viewer) -> ColumnElement[bool]:
    """Return the condition for the grant to every signed-in user."""
    return col(Grant.subject) == resource_roles.GENERAL


def is_anyone(viewer: Viewer) -> ColumnElement[bool]:
    """Return the condition for the grant to ANYONE, which includes anonymous viewers."""
    return col(Grant.subject) == resource_roles.ANYONE


def effective_subjects(
    users: FromClause, *, registry: bool | None = None, registry_filter: ColumnElement[bool] | None = None
) -> CompoundSelect[Any]:
    """Return the effective subjects of users: (user, subject, cap, level, until).

    `users` has one column `user`: ids of active users, or NULL for an anonymous viewer, who acts as ANYONE only.
    `cap` is the mask of the subject's roles that the user receives. `registry` states whether the users hold
    RESOURCES_MANAGE; None reads it from their roles, only for users that match `registry_filter`.
    """
    user, arms = users.c.user, _direct_arms(users, registry=bool(registry))
    for membership in membership_rows():
        where = membership.where
        if membership.kind is SubjectType.REGISTRY:
            if registry is not None:
                continue
            where = where if registry_filter is None else and_(where, registry_filter)
        rows = users.join(membership.rows, membership.user == user)
        arms.append(_union_branch(membership, user).select_from(rows).where(where))
    return union_all(*arms)


def _direct_arms(users: FromClause, *, registry: bool) -> list[Select[Any]]:
    """Return the subjects that each of these users acts as by themselves, and as the registry if that is stated."""
    user = users.c.user
    direct = [
        (_constant_subject(resource_roles.ANYONE), true()),
        (_constant_subject(resource_roles.GENERAL), user.is_not(None)),
        (subject_id(SubjectType.USER, user), user.is_not(None)),
        (subject_id(SubjectType.OWNER, user), user.is_not(None)),
    ]
    if registry:
        direct.append((_constant_subject(resource_roles.REGISTRY), user.is_not(None)))
    return [
        select(user.label("user"), number.label("subject"), _NO_CAP.label("cap"), _NO_LEVEL, _NO_END)
        .select_from(users)
        .where(condition)
        for number, condition in direct
    ]


def _union_branch(membership: SubjectRows, user: ColumnElement[Any]) -> Select[Any]:
    """Return the columns of the subjects of a membership."""
    return select(
        user.label("user"),
        subject_id(membership.kind, membership.key).label("subject"),
        membership.cap.label("cap"),
        membership.level,
        membership.until,
    )


def subjects_by_seeks(*, registry: bool) -> CompoundSelect[Any]:
    """Return the rows of `effective_subjects` for the users among the bound `keys`, by seeking the memberships of each.

    SQLite might scan all memberships to join them to users. Here deactivated users have memberships, but no other rows.
    """
    keys = bindparam("keys", type_=Keys(RowId()))
    arms = _direct_arms(requested_users(), registry=False)
    for membership in membership_rows():
        if registry or membership.kind is not SubjectType.REGISTRY:
            rows = _union_branch(membership, membership.user).select_from(membership.rows)
            arms.append(rows.where(among(membership.user, keys), membership.where))
    return union_all(*arms)


_NO_LEVEL = cast(null(), Integer).label("level")
_NO_END = cast(null(), UTCDateTime).label("until")

_VIEWER = select(VIEWER_ID.label("user")).subquery("me")


Profile = tuple[bool, bool]
"""Two flags: the viewer holds RESOURCES_MANAGE; the viewer's token is limited."""

FLAG_VALUES = (False, True)

VIEWER_PROFILES: tuple[Profile, ...] = tuple((manages, limited) for manages in FLAG_VALUES for limited in FLAG_VALUES)


def _viewer_subjects(profile: Profile) -> CTE:
    """Return the viewer's subjects, materialized since PostgreSQL would otherwise compute them for every row."""
    subjects = effective_subjects(_VIEWER, registry=profile[0]).cte(_cte_name("mine", profile))
    return subjects.prefix_with("MATERIALIZED", dialect="postgresql")


def _cte_name(name: str, profile: Profile) -> str:
    return name + "_and_all" * profile[0] + "_limited" * profile[1]


def _profile(viewer: Viewer) -> Profile:
    return Permission.RESOURCES_MANAGE in viewer.permissions, viewer.is_limited


VIEWER_SUBJECTS = {profile: _viewer_subjects(profile) for profile in VIEWER_PROFILES}
"""The CTE of the viewer's effective subjects for each profile."""


def viewer_subjects(viewer: Viewer) -> CTE:
    """Return the CTE of the viewer's effective subjects."""
    return VIEWER_SUBJECTS[_profile(viewer)]


def is_active(user: Any) -> ColumnElement[bool]:
    """Return the condition that a user does not have the role `deactivated`."""
    user_role, role = aliased(UserRole), aliased(Role)
    deactivated = select(col(role.id)).where(col(role.name_key) == DEACTIVATED).correlate_except(role)
    return ~(
        select(literal_column("1"))
        .where(col(user_role.user_id) == user, col(user_role.role_id) == deactivated.scalar_subquery())
        .correlate_except(user_role)
        .exists()
    )


def requested_users() -> FromClause:
    """Return the CTE of the active users among the bound `keys`: (user)."""
    keys = bindparam("keys", type_=Keys(RowId()))
    return select(col(User.id).label("user")).where(among(col(User.id), keys), is_active(col(User.id))).cte("asked")


USER_SUBJECTS = effective_subjects(requested_users()).cte("theirs")
"""The effective subjects of the users among the bound `keys`, without regard to the viewer."""


QueryProfile = tuple[bool, bool, bool]
"""Three flags: the viewer holds RESOURCES_MANAGE, may query other users, and has a limited token."""

_QUERY_PROFILES: tuple[QueryProfile, ...] = tuple(
    (own, others, limited) for own in FLAG_VALUES for others in FLAG_VALUES for limited in FLAG_VALUES
)


def _user_subjects(profile: QueryProfile) -> CTE:
    own, others, limited = profile
    users = requested_users()
    if not others and not own:
        subjects = effective_subjects(users, registry=False)
    else:
        subjects = effective_subjects(users, registry_filter=None if own else users.c.user != VIEWER_ID)
    return subjects.cte("theirs" + "_and_all" * own + "_of_others" * others + "_limited" * limited)


_USER_SUBJECTS = {profile: _user_subjects(profile) for profile in _QUERY_PROFILES}


def user_subjects(viewer: Viewer) -> CTE:
    """Return the CTE of the effective subjects of the users among the bound `keys`.

    The guard of the field decides which users a viewer may query: only themselves without ACCESS_VIEW. A viewer's
    token may lack RESOURCES_MANAGE although their role carries it. So the viewer's permissions decide for the viewer,
    and the stored roles for other users.
    """
    manages, limited = _profile(viewer)
    return _USER_SUBJECTS[manages, asks_about_everybody(viewer), limited]


LIMITED_TOKEN_SUBJECTS = frozenset(
    [
        *(subjects for (*_, limited), subjects in VIEWER_SUBJECTS.items() if limited),
        *(subjects for (*_, limited), subjects in _USER_SUBJECTS.items() if limited),
    ]
)
"""The CTEs of limited tokens: their subjects have roles only within the scope of the token."""
