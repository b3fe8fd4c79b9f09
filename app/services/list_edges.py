"""The edges of new items: which list an item is in, and how it is found by its id."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, and_

from app.db.tables import GroupMember, OrgMember, User, col
from app.domain.viewer import Viewer
from app.query.list_edges import OWNER, ListEdge
from app.query.relations import Condition, Relation
from app.services import read_graph

user = ListEdge(read_graph.users, read_graph.user)
role = ListEdge(read_graph.roles, read_graph.role)
org = ListEdge(read_graph.orgs, read_graph.org)
group = ListEdge(read_graph.groups, read_graph.group)
resource = ListEdge(read_graph.resources, read_graph.resource)
resource_type = ListEdge(read_graph.resource_types, read_graph.resource_type)
api_token = ListEdge(read_graph.api_tokens, read_graph.api_token)


def _of_owner(column: Any, sees: Condition) -> Callable[[Viewer], ColumnElement[bool]]:
    return lambda viewer: and_(col(column) == OWNER, sees(viewer))


def _membership(members: Relation, owner: Any, user_id: Any) -> ListEdge:
    """Return the edge of a member, found by the pair of the org or group and the user."""
    row = Relation(
        "one",
        User,
        user_id,
        _of_owner(owner, members.sees),
        join_table=members.join_table,
        join_on=members.join_on,
    )
    return ListEdge(members, row)


org_member = _membership(read_graph.org_members, OrgMember.org_id, OrgMember.user_id)
group_member = _membership(read_graph.group_members, GroupMember.group_id, GroupMember.user_id)
