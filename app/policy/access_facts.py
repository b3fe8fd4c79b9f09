"""The statement of access facts: the subjects of users, and the entries of resources, from which checks follow.

The facts of a user and those of a resource are independent, so both are cached by themselves, and checks of pairs that
nobody has asked about need no statement.
"""

from collections import defaultdict
from collections.abc import Iterable
from functools import cache
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
    func,
    inspect,
    literal_column,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import aliased

from app.db import Facts
from app.db.access_changes import resource_scope, user_scope
from app.db.tables import Access, GroupMember, OrgMember, Resource, RowId, User, col
from app.domain import resource_roles
from app.domain.resource_roles import SubjectType
from app.policy.checks import ENDS, has_few_entries
from app.policy.conditions import OrderedJoin, is_valid_until
from app.policy.effective_subjects import by_membership, is_active, subject_id
from app.query.relations import Keys

MANY = 2 * ENDS
"""Mark of a user with many memberships, or a resource with many entries: a check by `masks_of_pairs` reads less."""

MANY_MEMBERSHIPS = 64
"""Memberships of groups, or of orgs, from which on the mark is set."""


@cache
def select_access_facts(dialect: str) -> Select[Any]:
    """Return the statement for the facts of users and resources: rows (scope, subject, roles).

    `scope` names the user or the resource (see `app/db/access_changes.py`), `subject` is a subject of the access index.
    For a user, `roles` is the cap of the roles that the user receives through the subject. For a resource, it is the
    mask of the entry. The bit `ENDS` marks what expires, `MANY` what is left out.

    An existing user has a row for their own subject: with all roles, with 0 if they are deactivated, or with `MANY`.
    An existing resource has a row for ANYONE, with 0 or `MANY` if there is no such entry. What does not exist has no
    row. A user also acts as ANYONE, GENERAL and OWNER, which the rows leave out.

    The statement binds `now`, and the lists `users` and `resources`, which can be empty.
    """
    arms = *_of_users(_keys(dialect, "users")), *_of_resources(_keys(dialect, "resources"))
    return union_all(*arms)  # type: ignore[return-value]  # a SELECT for all who execute it


def _keys(dialect: str, name: str) -> FromClause:
    """Return the bound keys as rows. For a CTE in their place SQLite would read all of the joined table."""
    keys = bindparam(name, type_=Keys(RowId()))
    if dialect == "postgresql":
        return func.unnest(keys).table_valued("value", name=f"asked_{name}").render_derived()
    return func.json_each(keys).table_valued("key", "value", name=f"asked_{name}")


def _of_users(keys: FromClause) -> list[Select[Any]]:
    user, key = aliased(User), cast(keys.c.value, RowId)
    users = OrderedJoin(keys, inspect(user).selectable, col(user.id) == key)
    has_many = {table: _has_many(table, key) for table in (GroupMember, OrgMember)}
    mask = case((~is_active(key), _number(0)), (or_(*has_many.values()), _number(MANY)), else_=_ALL)
    scope: Any = user_scope(cast(key, BigInteger))
    arms: list[Select[Any]] = [select(scope, subject_id(SubjectType.USER, key), mask).select_from(users)]
    limits = {SubjectType.GROUP: [~has_many[GroupMember]], SubjectType.ORG: [~has_many[OrgMember]]}
    for membership in by_membership():
        cap = cast(membership.cap, Integer).op("|")(_mark_of(membership.until))
        rows = OrderedJoin(keys, membership.rows, membership.user == key)
        caps = select(scope, subject_id(membership.kind, membership.key), cap).select_from(rows)
        arms.append(caps.where(membership.where, *limits.get(membership.kind, ())))
    return arms


def _of_resources(keys: FromClause) -> list[Select[Any]]:
    resource, entry, key = aliased(Resource), aliased(Access), cast(keys.c.value, RowId)
    has_few, end = has_few_entries(key), entry.expires_at
    scope: Any = resource_scope(cast(key, BigInteger))
    resources = OrderedJoin(keys, inspect(resource).selectable, col(resource.id) == key)
    entries = OrderedJoin(keys, inspect(entry).selectable, col(entry.resource_id) == key)
    mark = case((has_few, _number(0)), else_=_number(MANY))
    roles = col(entry.mask).op("|")(_mark_of(end))
    return [
        select(scope, cast(_number(resource_roles.ANYONE), BigInteger), mark).select_from(resources),
        select(scope, col(entry.subject), roles).select_from(entries).where(has_few, is_valid_until(end)),
    ]


def _has_many(table: Any, user: ColumnElement[Any]) -> ColumnElement[bool]:
    member = aliased(table)
    later = select(_number(1)).where(col(member.user_id) == user).correlate_except(member)
    return later.offset(_number(MANY_MEMBERSHIPS)).limit(_number(1)).scalar_subquery().is_not(None)


def _mark_of(end: Any) -> ColumnElement[Any]:
    return case((end.is_(None), _number(0)), else_=_number(ENDS))


def _number(value: int) -> Any:
    return literal_column(str(value), Integer)


_ALL = _number(resource_roles.ALL)

MANY_FACTS: Facts = {}
"""Stands for the facts of a user or resource that are too many to tell."""


def roles_of(subjects: Facts, entries: Facts, *, registry: bool) -> int:
    """Return the roles that a user with these subjects has through these entries of a resource.

    Without `registry`, roles through RESOURCES_MANAGE are left out.
    """
    roles = 0
    for subject, mask in entries.items():
        if subject in subjects and (registry or subject != resource_roles.REGISTRY):
            roles |= mask & subjects[subject]
    return roles & resource_roles.ALL


def collect_facts(rows: Iterable[tuple[int, int, int]], users: Iterable[int]) -> dict[int, Facts]:
    """Return the facts by scope from the rows of `select_access_facts` for these users.

    The facts of a user or resource with the mark MANY are `MANY_FACTS`.
    """
    facts: defaultdict[int, Facts] = defaultdict(dict)
    many = set[int]()
    for scope, subject, roles in rows:
        of_scope = facts[scope]
        of_scope[subject] = of_scope.get(subject, 0) | roles
        if roles & MANY:
            many.add(scope)
    types = resource_roles.SUBJECT_TYPES
    for user in users:
        scope, own = user_scope(user), user * types + int(SubjectType.USER)
        if (subjects := facts.get(scope)) is not None:
            if not subjects[own]:  # deactivated
                facts[scope] = {own: 0}
            else:
                owner = user * types + int(SubjectType.OWNER)
                subjects |= dict.fromkeys((resource_roles.ANYONE, resource_roles.GENERAL, owner), resource_roles.ALL)
    return facts | dict.fromkeys(many, MANY_FACTS)
