"""Who can reach a resource, as far as the viewer may know who belongs to what."""

from typing import Any

from sqlalchemy import (
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
    inspect,
    literal_column,
    not_,
    null,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.orm import aliased

from app.db.tables import Access, Group, KeyText, Org, RowId, User, col
from app.domain import resource_roles
from app.domain.resource_roles import SubjectType
from app.domain.viewer import Viewer
from app.policy.conditions import is_valid_until
from app.policy.effective_subjects import by_membership, is_active
from app.policy.groups import number_of_members, sees_group_members
from app.policy.orgs import number_of_people, sees_org, sees_org_members
from app.policy.resources import bit_or
from app.policy.users import sees_all_users
from app.query.index_scan import virtual_column
from app.query.relations import Keys, among

_ENTRY = aliased(Access)
_KIND = col(_ENTRY.subject) % resource_roles.SUBJECT_TYPES
_KEY = col(_ENTRY.subject) // resource_roles.SUBJECT_TYPES

BEFORE_USERS = literal_column("'!'", KeyText())
"""Stands before the slug of a group, so that groups come before users: no user name begins with it."""


def subjects_sql(viewer: Viewer) -> FromClause:
    """Who holds what on the resources that are the bound `keys`: (k, o0, key, mask, kind, user, whole).

    Those who administer the registry, an org's people and a group's members are a row each where the viewer sees who
    they are; else one row for all of them, with the id of the org or the group as `whole`. Everybody is one row, and
    every signed-in user. `o0` is what the rows are sorted by, and `key` decides between equals.
    """
    found = union_all(*_arms(viewer)).subquery("found")
    user, group = aliased(User), aliased(Group)
    joined = found.outerjoin(inspect(user).selectable, col(user.id) == found.c.user).outerjoin(
        inspect(group).selectable, (col(group.id) == found.c.whole) & (found.c.kind == int(SubjectType.GROUP))
    )
    name = func.coalesce(col(user.user_key), BEFORE_USERS + col(group.slug), literal_column("''", KeyText())).label(
        "o0"
    )
    number = func.coalesce(found.c.user, col(group.id), found.c.kind).label("key")
    whole = select(found.c.k, name, number, bit_or(found.c.mask).label("mask"), found.c.kind, found.c.user)
    active = or_(found.c.user.is_(None), is_active(found.c.user))
    chosen = whole.add_columns(found.c.whole).select_from(joined).where(active, found.c.mask != 0)
    return chosen.group_by(found.c.k, name, number, found.c.kind, found.c.user, found.c.whole).subquery("holders")


def _arms(viewer: Viewer) -> list[Select[Any]]:
    arms = [
        _wholes(_is_of(SubjectType.ANYONE, SubjectType.GENERAL), keyed=False),
        _users(col(User.id), inspect(User).selectable, _is_of(SubjectType.USER, SubjectType.OWNER), col(User.id)),
    ]
    for way in by_membership():
        seen = _sees(viewer, way.kind, way.key)
        if not isinstance(seen, type(false())):
            named = way.user.is_not(None)  # an org may be nobody's
            arms.append(_users(way.user, way.rows, _is_of(way.kind), way.key, way.cap).where(way.where, named, seen))
    for kind in (SubjectType.GROUP, SubjectType.ORG, SubjectType.REGISTRY):
        seen = _sees(viewer, kind, _KEY)
        if not isinstance(seen, type(true())):
            arms.append(_wholes(_is_of(kind), not_(seen), keyed=kind is not SubjectType.REGISTRY))
    return arms


def _is_of(*kinds: SubjectType) -> ColumnElement[bool]:
    """An entry whose subject is of one of these kinds."""
    each: list[ColumnElement[bool]] = [_KIND.op("=", is_comparison=True)(int(kind)) for kind in kinds]
    return or_(*each)


def _here() -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """The entries of the asked resources that have not ended."""
    keys = bindparam("keys", type_=Keys(BigInteger()))
    return among(col(_ENTRY.resource_id), keys), is_valid_until(_ENTRY.expires_at)


def _users(
    user: ColumnElement[Any],
    rows: FromClause,
    is_its: ColumnElement[bool],
    key: ColumnElement[Any],
    cap: ColumnElement[Any] | None = None,
) -> Select[Any]:
    """A row for each user who acts as the subject of an entry."""
    mask = col(_ENTRY.mask) if cap is None else col(_ENTRY.mask).op("&")(cap)
    kind = literal_column(str(int(SubjectType.USER)), Integer)
    told = (col(_ENTRY.resource_id).label("k"), user.label("user"), kind.label("kind"), mask.label("mask"))
    joined = inspect(_ENTRY).selectable.join(rows, is_its & (key == _KEY))
    return select(*told, _NOTHING.label("whole")).select_from(joined).where(*_here())


def _wholes(*conditions: ColumnElement[bool], keyed: bool) -> Select[Any]:
    """A row for each entry of which nobody is named."""
    whole = cast(_KEY, RowId) if keyed else _NOTHING
    kind = cast(_KIND, Integer)
    told = (
        col(_ENTRY.resource_id).label("k"),
        _NOTHING.label("user"),
        kind.label("kind"),
        col(_ENTRY.mask).label("mask"),
    )
    return select(*told, whole.label("whole")).where(*_here(), *conditions)


_NOTHING = cast(null(), RowId)


def _sees(viewer: Viewer, kind: SubjectType, key: ColumnElement[Any]) -> ColumnElement[bool]:
    """The viewer sees who acts as a subject of this kind and key."""
    if kind is SubjectType.REGISTRY:
        return true() if sees_all_users(viewer) else false()
    table, seen = (Group, sees_group_members(viewer)) if kind is SubjectType.GROUP else (Org, sees_org_members(viewer))
    if isinstance(seen, type(true()) | type(false())):
        return seen
    return exists().where(col(table.id) == key, seen).correlate_except(table)


def count_subjects(viewer: Viewer) -> ColumnElement[Any]:
    """Count the members of the group that a row stands for, or the people of the org, if the viewer sees that."""
    whole, kind = virtual_column("whole"), virtual_column("kind")
    is_seen = exists().where(col(Org.id) == whole, sees_org(viewer)).correlate_except(Org)
    return case(
        (kind == int(SubjectType.GROUP), number_of_members(whole)),
        ((kind == int(SubjectType.ORG)) & is_seen, number_of_people(whole)),
        else_=null(),
    )


_IS_GROUP: ColumnElement[bool] = virtual_column("kind").in_((literal_column(str(int(SubjectType.GROUP)), Integer),))

holding_group = case((_IS_GROUP, virtual_column("whole")), else_=cast(null(), RowId))
"""The id of the group that a row stands for."""
