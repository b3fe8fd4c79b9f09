"""What somebody holds on a resource, by the access index."""

from dataclasses import replace
from functools import cache, reduce
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Integer,
    Select,
    and_,
    bindparam,
    case,
    cast,
    exists,
    func,
    inspect,
    literal_column,
    null,
    or_,
    select,
    true,
)
from sqlalchemy.orm import aliased

from app.db.tables import Access, Grant, Group, Org, OrgMember, Resource, RowId, User, col
from app.domain import resource_roles
from app.domain.resource_roles import MemberLevel, SubjectType
from app.domain.viewer import Permission, Viewer
from app.policy.conditions import (
    OrderedJoin,
    Unindexed,
    asks_about_everybody,
    earlier,
    is_valid_until,
    sees_all_resources,
)
from app.policy.effective_subjects import SCOPED_SUBJECTS, effective_subjects, is_active, viewer_subjects
from app.policy.groups import sees_group_members
from app.policy.orgs import deletes_org, sees_org, sees_org_members
from app.policy.token_scope import is_in_token_scope, scope_includes_resource
from app.query.relations import VIEWER_ID, Keys


def _manages_all_resources(viewer: Viewer) -> bool:
    return Permission.RESOURCES_MANAGE in viewer.permissions


def holds_access(acting: FromClause, access: Any) -> ColumnElement[bool]:
    """The subject of an entry of the index is one that somebody acts as, here, and the entry has not ended."""
    return _holds_as(col(access.subject), acting, access)


def _holds_as(subject: ColumnElement[Any], acting: FromClause, access: Any) -> ColumnElement[bool]:
    here = scope_includes_resource(access.resource_id) if acting in SCOPED_SUBJECTS else true()
    return and_(subject == acting.c.subject, is_valid_until(access.expires_at), here)


def row_roles_sql(entry: Any, acting: FromClause) -> FromClause:
    """Entries of the index beside the ways in which somebody acts as their subjects.

    It begins at the entries, which are few where they are those of a resource, while somebody may act as hundreds.
    """
    return OrderedJoin(inspect(entry).selectable, acting, _holds_as(Unindexed(col(entry.subject)), acting, entry))


def roles_sql(acting: FromClause, access: Any) -> ColumnElement[Any]:
    """The roles that an entry of the index gives somebody who acts so."""
    made: ColumnElement[Any] = col(access.mask).op("&")(acting.c.cap)
    return made


def bit_or(mask: ColumnElement[Any]) -> ColumnElement[Any]:
    """The union of the masks of many rows: neither database unites bits alike, so each bit has its maximum."""
    bits: list[ColumnElement[Any]] = [
        func.max(mask.op("&")(literal_column(str(bit), Integer))) for bit in resource_roles.BITS
    ]
    return func.coalesce(reduce(lambda left, right: left + right, bits), 0)


def deletes_in_org(viewer: Viewer) -> ColumnElement[bool]:
    """Deletes the resource of the row by her level in its org; a token may be good for the resource alone."""
    return exists().where(col(Org.id) == col(Resource.org_id), deletes_org(replace(viewer, is_limited=False)))


def transfers_resource(viewer: Viewer) -> ColumnElement[bool]:
    """Gives the resource of the row to another owner or org: its owner, and ADMIN in its org; a grant is not enough.

    An owner has no end, so a membership that ends is not enough either.
    """
    if _manages_all_resources(viewer):
        return true()
    owned, member = aliased(Org), aliased(OrgMember)
    owns_org = exists().where(col(owned.id) == col(Resource.org_id), col(owned.owner_id) == VIEWER_ID)
    is_admin = exists().where(
        col(member.org_id) == col(Resource.org_id),
        col(member.user_id) == VIEWER_ID,
        col(member.level) >= int(MemberLevel.ADMIN),
        col(member.expires_at).is_(None),
    )
    return or_(col(Resource.owner_id) == VIEWER_ID, owns_org.correlate_except(owned), is_admin.correlate_except(member))


def sees_org_of_resource(viewer: Viewer) -> ColumnElement[bool]:
    """Sees the org that keeps the resource of the row: who holds a role on the resource alone may not."""
    return exists().where(col(Org.id) == col(Resource.org_id), sees_org(viewer)).correlate(Resource)


def effective_mask(viewer: Viewer) -> ColumnElement[Any]:
    """The viewer's effective roles on the resource of the row."""
    if _manages_all_resources(viewer):
        return _every_role(viewer)
    entry, acting = aliased(Access), viewer_subjects(viewer)
    return _of(entry, acting, bit_or(roles_sql(acting, entry))).scalar_subquery()


def granted_mask(viewer: Viewer) -> ColumnElement[Any]:
    """The same as it was given, before implications."""
    if _manages_all_resources(viewer):
        return _every_role(viewer)
    entry, acting = aliased(Access), viewer_subjects(viewer)
    return _of(entry, acting, bit_or(granted_sql(acting, entry))).scalar_subquery()


def _every_role(viewer: Viewer) -> ColumnElement[Any]:
    """What the registry holds, as `index.definition` has it: more than anybody can be given."""
    full = col(Resource.full_mask)
    return case((scope_includes_resource(Resource.id), full), else_=literal_column("0")) if viewer.is_limited else full


def administered(mask: ColumnElement[Any]) -> ColumnElement[bool]:
    """The same as `administers_resource`, of a mask that is known."""
    made: ColumnElement[bool] = mask.op("&")(literal_column(str(resource_roles.ADMIN), Integer)) != 0
    return made


def granted_sql(acting: FromClause, access: Any) -> ColumnElement[Any]:
    """The roles as they were given by an entry of the index, for somebody who acts so."""
    made: ColumnElement[Any] = col(access.granted).op("&")(acting.c.cap)
    return made


def _may(viewer: Viewer, roles: int, key: Any = Resource.id) -> ColumnElement[bool]:
    """The viewer holds one of some roles on the resource of the row.

    One way is looked for, and not whether there is any: PostgreSQL answers `EXISTS` also by collecting every resource
    of the viewer beforehand.
    """
    if _manages_all_resources(viewer) and roles & resource_roles.NON_DATA:  # every type has those
        return scope_includes_resource(key) if viewer.is_limited else true()
    entry, acting = aliased(Access), viewer_subjects(viewer)
    one: Any = literal_column("1")
    may = roles_sql(acting, entry).op("&")(literal_column(str(roles), Integer)) != 0
    return _of(entry, acting, one, key).where(may).limit(one).scalar_subquery().is_not(None)


def _of(entry: Any, acting: FromClause, what: ColumnElement[Any], key: Any = Resource.id) -> Select[Any]:
    """What the entries tell that somebody acts as of the row's resource, or the one with this key."""
    found = select(what).select_from(row_roles_sql(entry, acting)).where(col(entry.resource_id) == col(key))
    return found.correlate_except(entry, acting)


def sees_resource(viewer: Viewer, key: Any = Resource.id) -> ColumnElement[bool]:
    """Every role discovers the resource of the row, or the one with this key; RESOURCES_VIEW does so without a role."""
    if sees_all_resources(viewer):
        return scope_includes_resource(key) if viewer.is_limited else true()
    return _may(viewer, resource_roles.METADATA_READ, key)


def lists_resources_by_table(viewer: Viewer) -> bool:
    """Whether a list goes along the table: the viewer sees all of it, or begins at the few that the token covers."""
    return viewer.is_limited or sees_all_resources(viewer)


def lists_resource(viewer: Viewer) -> ColumnElement[bool]:
    """Sees a resource, for such a list."""
    return and_(is_in_token_scope(Resource.id) if viewer.is_limited else true(), sees_resource(viewer))


def administers_resource(viewer: Viewer) -> ColumnElement[bool]:
    """Sees and changes the access configuration, locks and unlocks."""
    return _may(viewer, resource_roles.ADMIN)


def sees_configuration(viewer: Viewer) -> ColumnElement[bool]:
    """Sees the access configuration: who administers the resource, and who sees every resource."""
    return sees_resource(viewer) if sees_all_resources(viewer) else administers_resource(viewer)


def sees_accessors(viewer: Viewer) -> ColumnElement[bool]:
    """Sees who can reach the resource: who administers it, and who asks about everybody."""
    if asks_about_everybody(viewer):
        return scope_includes_resource(Resource.id) if viewer.is_limited else true()
    return administers_resource(viewer)


ENDS = resource_roles.ALL + 1
"""Stands in a mask for that some of it is held for a time."""

PAIR = 2**31
"""A user and a resource travel as one number: user times 2^31, and the resource."""

WIDE_PAIR = 2**60
"""The same for ids from 2^31 on; such a pair is longer than the 64 bits that a database reads as a number."""


@cache
def masks_of_pairs(dialect: str, *, is_wide: bool = False, registry: bool = True) -> Select[Any]:
    """The effective roles of many users on many resources, in one statement: (pair, mask); unknown users are missing.

    A mask has the bit `ENDS` beside those of roles where one of them is held for a time. Without `registry` it tells
    nothing of what users hold by RESOURCES_MANAGE.

    Binds `pairs` (numbers, see `PAIR`) and `now`; where ids are wide, lists of a user's and a resource's id, and the
    rows are (user, resource, mask). Each pair is worked out by itself: how that is best done does not
    depend on how many there are, which PostgreSQL cannot know when it plans a statement for all time.
    """
    pairs, user_id, resource_id, shown = _wide_pairs(dialect) if is_wide else _pairs(dialect)
    user, entry = aliased(User), aliased(Access)
    users = inspect(user).selectable
    one = select(col(user.id).label("user")).correlate(users).subquery("one")
    acting = effective_subjects(one, registry=None if registry else False).subquery("acting")
    rows = inspect(entry).selectable.join(acting, holds_access(acting, entry))
    lasting = and_(col(entry.expires_at).is_(None), acting.c.until.is_(None))
    whole = bit_or(roles_sql(acting, entry)) + func.coalesce(func.max(case((lasting, 0), else_=ENDS)), 0)
    found = select(whole).select_from(rows).where(col(entry.resource_id) == resource_id)
    asked = pairs.join(users, col(user.id) == user_id)
    mask_ = found.correlate(pairs, users).scalar_subquery()
    return select(*shown, mask_).select_from(asked).where(is_active(col(user.id)))


_Pairs = tuple[FromClause, ColumnElement[Any], ColumnElement[Any], list[ColumnElement[Any]]]
"""Rows of pairs, the user and the resource of each, and the columns that name it in the result."""


def _pairs(dialect: str) -> _Pairs:
    given = bindparam("pairs", type_=Keys(BigInteger()))
    each = func.unnest(given) if dialect == "postgresql" else func.json_each(given)
    rows: Any = each.table_valued("value", name="pairs")
    rows = rows.render_derived() if dialect == "postgresql" else rows
    value = cast(rows.c.value, BigInteger)
    return rows, value // PAIR, value % PAIR, [value]


def _wide_pairs(dialect: str) -> _Pairs:
    rows: Any
    if dialect == "postgresql":
        given = (bindparam(name, type_=Keys(RowId())) for name in ("users", "resources"))
        rows = func.unnest(*given).table_valued("user", "resource", name="pairs").render_derived()
        user, resource = rows.c.user, rows.c.resource
    else:
        rows = func.json_each(bindparam("pairs", type_=Keys(RowId()))).table_valued("value", name="pairs")
        user, resource = (func.json_extract(rows.c.value, f"$[{at}]") for at in (0, 1))
    ids = [cast(user, RowId), cast(resource, RowId)]
    return rows, *ids, ids


def may_ask_of_user(viewer: Viewer) -> ColumnElement[bool]:
    """Asks what a user can reach: the user, and who asks about everybody."""
    return true() if asks_about_everybody(viewer) else col(User.id) == VIEWER_ID


def lists_reached(viewer: Viewer, key: Any = Resource.id) -> ColumnElement[bool]:
    """Lists a resource that an asked user reaches: who asks about everybody is shown those that they see themselves.

    Without ACCESS_VIEW the asked user is the viewer, who sees all that they reach.
    """
    return sees_resource(viewer, key) if asks_about_everybody(viewer) else true()


def members_are_seen(viewer: Viewer) -> ColumnElement[bool]:
    """The viewer sees the members of every group that has an entry on the resource of the row, and of its org.

    Who holds what there tells them nothing of who belongs to what. An entry counts also when it gives nothing or ended.
    """
    hidden = exists().where(
        col(Grant.resource_id) == col(Resource.id), col(Group.id) == col(Grant.group_id), ~sees_group_members(viewer)
    )
    org = exists().where(col(Org.id) == col(Resource.org_id), sees_org_members(viewer))
    return and_(~hidden.correlate(Resource), org.correlate(Resource))


def my_entries(viewer: Viewer) -> FromClause:
    """Entries of the index beside the way in which the viewer acts as their subject."""
    return row_roles_sql(Access, viewer_subjects(viewer))


def is_given(viewer: Viewer) -> ColumnElement[bool]:
    """An entry that gives the viewer something."""
    return roles_sql(viewer_subjects(viewer), Access) != 0


def path_roles(viewer: Viewer) -> ColumnElement[Any]:
    """The roles with what they imply."""
    return roles_sql(viewer_subjects(viewer), Access)


def path_granted_roles(viewer: Viewer) -> ColumnElement[Any]:
    """The roles as they were given."""
    return granted_sql(viewer_subjects(viewer), Access)


def path_level(viewer: Viewer) -> ColumnElement[Any]:
    """Her level, on the way through the org."""
    return viewer_subjects(viewer).c.level


def path_expiry(viewer: Viewer) -> ColumnElement[Any]:
    """When the entry or the membership ends, whichever is first."""
    return earlier(col(Access.expires_at), viewer_subjects(viewer).c.until)


_SUBJECT: Any = col(Access.subject)

path_group = case(
    (
        int(SubjectType.GROUP) == _SUBJECT % resource_roles.SUBJECT_TYPES,
        cast(_SUBJECT // resource_roles.SUBJECT_TYPES, RowId),
    ),
    else_=cast(null(), RowId),
)
"""The id of the group, on the way through one."""
