"""The subjects with access to a resource, expanded into users where the viewer sees the members."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    FromClause,
    Integer,
    Select,
    bindparam,
    case,
    cast,
    exists,
    false,
    func,
    literal_column,
    not_,
    null,
    or_,
    select,
    true,
    union_all,
)

from app.db.tables import Access, Group, KeyText, Org, Resource, RowId, User, aliased, col, from_of
from app.domain.resource_roles import SubjectType
from app.domain.viewer import Viewer
from app.policy.conditions import is_valid_until
from app.policy.effective_subjects import (
    SubjectRows,
    is_active,
    membership_rows,
    subject_id,
    subject_key_sql,
    subject_type_sql,
)
from app.policy.groups import number_of_members, sees_group_members
from app.policy.orgs import number_of_people, sees_org, sees_org_members
from app.policy.resources import bit_or
from app.policy.users import sees_all_users
from app.query.relations import Keys, among
from app.query.virtual_rows import virtual_column

_ENTRY = aliased(Access)
_KIND = subject_type_sql(col(_ENTRY.subject))
_KEY = subject_key_sql(col(_ENTRY.subject))

BEFORE_USERS = literal_column("'!'", KeyText())
"""Prefix of a group's sort key, which sorts groups before users since no user name begins with it."""


MANY = 2_000
"""Memberships in the groups and orgs with an entry from which on a page tries its next candidates first."""


def subjects_sql(viewer: Viewer, *, candidates: CTE | None = None, without: Select[Any] | None = None) -> FromClause:
    """Return the subjects with roles on the resources among the bound `keys`: (k, o0, key, mask, kind, user, whole).

    Registry managers, org members and group members are one row each where the viewer sees the members. Otherwise one
    row represents them all, and `whole` is the id of the org or group. ANYONE and all signed-in users are one row each.
    A list of them is ordered by `o0`, then by `key`. With `candidates`, a list of users, no other users are computed;
    the resources of the SELECT `without` are left out.
    """
    # The roles are combined by numbers before any name is joined: a group may have very many members.
    arms = _user_arms(viewer) if candidates is None else _candidate_arms(viewer, candidates)
    arms = [*arms, *_undivided_arms(viewer)]
    if without is not None:
        arms = [arm.where(col(_ENTRY.resource_id).not_in(without)) for arm in arms]
    entries = union_all(*arms).subquery("entries")
    subject = (entries.c.k, entries.c.user, entries.c.kind, entries.c.whole)
    roles = bit_or(entries.c.mask).label("mask")
    holders = select(*subject, roles).where(entries.c.mask != 0).group_by(*subject).subquery("holders")
    user, group = aliased(User), aliased(Group)
    joined = holders.outerjoin(from_of(user), col(user.id) == holders.c.user).outerjoin(
        from_of(group), (col(group.id) == holders.c.whole) & (holders.c.kind == int(SubjectType.GROUP))
    )
    name = func.coalesce(col(user.user_key), BEFORE_USERS + col(group.slug), literal_column("''", KeyText()))
    number = func.coalesce(holders.c.user, col(group.id), holders.c.kind)
    columns = (
        holders.c.k,
        name.label("o0"),
        number.label("key"),
        holders.c.mask,
        holders.c.kind,
        holders.c.user,
        holders.c.whole,
    )
    active = or_(holders.c.user.is_(None), is_active(holders.c.user))
    return select(*columns).select_from(joined).where(active).subquery("named")


def are_many_subjects() -> ColumnElement[bool]:
    """Return whether the entries of the bound `keys` have at least `MANY` memberships. It reads no more of them."""
    arms = [
        select(literal_column("1", Integer).label("one"))
        .select_from(from_of(_ENTRY).join(each.rows, _is_of(each.kind) & (each.key == _KEY)))
        .where(*_is_current())
        for each in membership_rows()
    ]
    some = union_all(*arms).limit(MANY).subquery("some")
    return select(func.count()).select_from(some).scalar_subquery() >= MANY


def _user_arms(viewer: Viewer) -> list[Select[Any]]:
    """Return the rows of users, from the entries."""
    direct = _is_of(SubjectType.USER, SubjectType.OWNER)
    arms = [_user_rows(col(User.id), from_of(User), direct, col(User.id))]
    for each, seen in _seen_memberships(viewer):
        users = _user_rows(each.user, each.rows, _is_of(each.kind), each.key, each.cap)
        arms.append(users.where(each.where, each.user.is_not(None), seen))  # an org may have no owner
    return arms


def _candidate_arms(viewer: Viewer, candidates: CTE) -> list[Select[Any]]:
    """Return the same for some users, from their memberships: each looks up the entry of its subject."""
    arms = [
        _rows_of_candidates(candidates, subject_id(kind, candidates.c.key))
        for kind in (SubjectType.USER, SubjectType.OWNER)
    ]
    for each, seen in _seen_memberships(viewer):
        membership = each.rows, each.user == candidates.c.key
        arms.append(
            _rows_of_candidates(candidates, subject_id(each.kind, each.key), each.cap, membership).where(
                each.where, seen
            )
        )
    return arms


def _rows_of_candidates(
    candidates: CTE,
    subject: ColumnElement[Any],
    cap: ColumnElement[Any] | None = None,
    membership: tuple[FromClause, ColumnElement[bool]] | None = None,
) -> Select[Any]:
    resource = aliased(Resource)
    is_entry = (col(_ENTRY.resource_id) == col(resource.id)) & (col(_ENTRY.subject) == subject)
    granted: Any = select(col(_ENTRY.mask)).where(is_entry, is_valid_until(_ENTRY.expires_at))
    rows: Any = from_of(resource).join(candidates, true())
    if membership is not None:
        rows = rows.join(*membership)
    mask = granted.correlate_except(_ENTRY).scalar_subquery()
    kind = literal_column(str(int(SubjectType.USER)), Integer)
    columns = (
        col(resource.id).label("k"),
        candidates.c.key.label("user"),
        kind.label("kind"),
        (mask if cap is None else mask.op("&")(cap)).label("mask"),
        _NULL_ID.label("whole"),
    )
    return select(*columns).select_from(rows).where(among(col(resource.id), _keys()))


def _seen_memberships(viewer: Viewer) -> Iterator[tuple[SubjectRows, ColumnElement[bool]]]:
    """Yield the rows by which users act as subjects whose users the viewer sees, with the condition for it."""
    for each in membership_rows():
        seen = _sees(viewer, each.kind, each.key)
        if not isinstance(seen, type(false())):
            yield each, seen


def _undivided_arms(viewer: Viewer) -> list[Select[Any]]:
    """Return the entries whose users are not listed."""
    arms = [_undivided_rows(_is_of(SubjectType.ANYONE, SubjectType.GENERAL), keyed=False)]
    for kind in (SubjectType.GROUP, SubjectType.ORG, SubjectType.REGISTRY):
        seen = _sees(viewer, kind, _KEY)
        if not isinstance(seen, type(true())):
            arms.append(_undivided_rows(_is_of(kind), not_(seen), keyed=kind is not SubjectType.REGISTRY))
    return arms


def _is_of(*kinds: SubjectType) -> ColumnElement[bool]:
    """Return the condition that the subject of an entry has one of these types."""
    conditions: list[ColumnElement[bool]] = [_KIND.op("=", is_comparison=True)(int(kind)) for kind in kinds]
    return or_(*conditions)


def _is_current() -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Return the conditions for entries that have not expired, of the resources among the bound `keys`."""
    return among(col(_ENTRY.resource_id), _keys()), is_valid_until(_ENTRY.expires_at)


def _keys() -> ColumnElement[Any]:
    return bindparam("keys", type_=Keys(BigInteger()))


def _user_rows(
    user: ColumnElement[Any],
    rows: FromClause,
    matches: ColumnElement[bool],
    key: ColumnElement[Any],
    cap: ColumnElement[Any] | None = None,
) -> Select[Any]:
    """Return one row for each user who acts as the subject of an entry."""
    mask = col(_ENTRY.mask) if cap is None else col(_ENTRY.mask).op("&")(cap)
    kind = literal_column(str(int(SubjectType.USER)), Integer)
    columns = (col(_ENTRY.resource_id).label("k"), user.label("user"), kind.label("kind"), mask.label("mask"))
    joined = from_of(_ENTRY).join(rows, matches & (key == _KEY))
    return select(*columns, _NULL_ID.label("whole")).select_from(joined).where(*_is_current())


def _undivided_rows(*conditions: ColumnElement[bool], keyed: bool) -> Select[Any]:
    """Return one row for each entry whose users are not listed."""
    set_id = cast(_KEY, RowId) if keyed else _NULL_ID
    kind = cast(_KIND, Integer)
    columns = (
        col(_ENTRY.resource_id).label("k"),
        _NULL_ID.label("user"),
        kind.label("kind"),
        col(_ENTRY.mask).label("mask"),
    )
    return select(*columns, set_id.label("whole")).where(*_is_current(), *conditions)


_NULL_ID = cast(null(), RowId)


def _sees(viewer: Viewer, kind: SubjectType, key: ColumnElement[Any]) -> ColumnElement[bool]:
    """Return the condition that the viewer sees the users who act as the subject of this type and key."""
    if kind is SubjectType.REGISTRY:
        return true() if sees_all_users(viewer) else false()
    table, seen = (Group, sees_group_members(viewer)) if kind is SubjectType.GROUP else (Org, sees_org_members(viewer))
    if isinstance(seen, type(true()) | type(false())):
        return seen
    return exists().where(col(table.id) == key, seen).correlate_except(table)


def count_subjects(viewer: Viewer) -> ColumnElement[Any]:
    """Return the number of members of the group or org that a row represents; null for an org that is not visible."""
    set_id, kind = virtual_column("whole"), virtual_column("kind")
    is_visible = exists().where(col(Org.id) == set_id, sees_org(viewer)).correlate_except(Org)
    return case(
        (kind == int(SubjectType.GROUP), number_of_members(set_id)),
        ((kind == int(SubjectType.ORG)) & is_visible, number_of_people(set_id)),
        else_=null(),
    )


_IS_GROUP: ColumnElement[bool] = virtual_column("kind").in_((literal_column(str(int(SubjectType.GROUP)), Integer),))

holding_group = case((_IS_GROUP, virtual_column("whole")), else_=cast(null(), RowId))
"""The id of the group that a row represents, or null."""
