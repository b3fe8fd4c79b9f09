"""Write a generated world to a database, in place of all other rows."""

from collections.abc import Iterator, Mapping, Sequence

from sqlalchemy import text
from sqlmodel import SQLModel

from app import db
from app.db import tables
from app.db.tables import Stage
from app.domain import resource_roles
from app.domain.resource_roles import MemberLevel, SubjectType
from app.security import api_token_format
from app.services import access_index
from tests.oracle.naive import PERMISSIONS, identity
from tests.oracle.naive.lists import Row, folded, sort_key
from tests.oracle.naive.rights import ROLES
from tests.support.truncate import empty

Rows = Mapping[str, Sequence[Row]]


async def write(database: db.Database, rows: Rows) -> None:
    """Replace all rows of the database by these."""
    async with database.write() as tx:
        await empty(database, tx)
        for table_, values in _values(rows):
            await tx.insert(table_, values)
        await access_index.rebuild(tx)
        if database.dialect.name == "postgresql":  # numbers that nobody took are no events
            await tx.rows(text("SELECT setval('audit_events_id_seq', 2147483647)"))


def _values(rows: Rows) -> Iterator[tuple[type[SQLModel], list[Row]]]:
    yield tables.Role, [_role(row) for row in rows["Role"]]
    yield tables.User, [_user(row) for row in rows["User"]]
    yield tables.UserRole, [{"user_id": row["key"], "role_id": key} for row in rows["User"] for key in row["roles"]]
    yield tables.Org, [_org(row, rows["Resource"]) for row in rows["Org"]]
    yield tables.OrgMember, [_org_member(row, key) for row in rows["Org"] for key in row["members"]]
    yield tables.Group, [_group(row) for row in rows["Group"]]
    yield tables.GroupMember, [_group_member(row, key) for row in rows["Group"] for key in row["members"]]
    yield tables.ResourceType, [_type(row) for row in rows["ResourceType"]]
    yield tables.Resource, list(_resources(rows))
    yield tables.Lock, [_lock(row, row["lock"]) for row in rows["Resource"] if row["lock"]]
    yield tables.LockEvent, [_event(row, event) for row in rows["Resource"] for event in row["history"]]
    orgs = {row["key"]: row["org"] for row in rows["Resource"]}
    yield tables.Ticket, [_ticket(row, orgs) for row in rows["Ticket"]]
    yield tables.AuditEvent, [_audit_event(row) for row in rows["AuditEvent"]]
    yield tables.AuditChange, [_audit_change(row, each) for row in rows["AuditEvent"] for each in row["changes"]]
    yield tables.Grant, [_grant(row, grant) for row in rows["Resource"] for grant in row["grants"]]
    tokens = rows["ApiToken"]
    yield tables.ApiToken, [_token(row) for row in tokens]
    yield tables.ApiTokenOrg, [{"token_id": row["key"], "org_id": key} for row in tokens for key in row["orgs"]]
    limits = [{"token_id": row["key"], "resource_id": key} for row in tokens for key in row["resources"]]
    yield tables.ApiTokenResource, limits


def _titled(row: Row, title: str = "name", column: str = "name") -> Row:
    named = {column: row[title], "name_key": sort_key(row[title])}
    common = {"id": row["key"], "created_at": row["createdAt"], "description": row["description"]}
    return {**common, "revision": row["revision"], **named}


def _role(row: Row) -> Row:
    mask = sum(1 << PERMISSIONS.index(name) for name in row["permissions"])
    return {**_titled(row), "name_key": folded(row["name"]), "permissions": mask, "is_built_in": row["isBuiltIn"]}


def _user(row: Row) -> Row:
    return {
        "id": row["key"],
        "user_name": row["userName"],
        "user_key": folded(row["userName"]),
        "display_name": row["displayName"],
        "display_key": sort_key(row["displayName"] or row["userName"]),
        "email": row["email"],
        "email_key": None if row["email"] is None else folded(row["email"]),
        "token_generation": 0,
        "details": row["metadata"],
        "is_service_account": row["isServiceAccount"],
        "revision": row["revision"],
        "created_at": row["createdAt"],
        "last_login_at": row["lastLoginAt"],
    }


def _org(row: Row, resources: Sequence[Row]) -> Row:
    size = sum(each["sizeBytes"] for each in resources if each["org"] == row["key"])
    named = {"slug": row["slug"], "owner_id": row["owner"], "is_public": row["isPublic"]}
    return {**_titled(row), **named, "size_bytes": size, "quota_bytes": row["quotaBytes"]}


def _org_member(org: Row, user: int) -> Row:
    member = org["members"][user]
    when = {"granted_at": member["addedAt"], "granted_by": member["addedBy"], "expires_at": member["expiresAt"]}
    when["granted_by_name"] = member["addedByName"]
    return {"org_id": org["key"], "user_id": user, "level": int(MemberLevel[member["level"]]), **when}


def _group(row: Row) -> Row:
    named = _titled(row, "displayName", "display_name")
    return {**named, "slug": row["slug"], "members_seen_by": row["membersSeenBy"]}


def _group_member(group: Row, user: int) -> Row:
    member = group["members"][user]
    when = {"added_at": member["addedAt"], "added_by": member["addedBy"], "expires_at": member["expiresAt"]}
    when["added_by_name"] = member["addedByName"]
    return {"group_id": group["key"], "user_id": user, "is_manager": member["isManager"], **when}


def _type(row: Row) -> Row:
    return {"id": row["key"], "name": row["name"], "has_data": row["hasData"], "is_built_in": row["isBuiltIn"]}


def _resources(rows: Rows) -> Iterator[Row]:
    types = {row["name"]: row for row in rows["ResourceType"]}
    slugs = {row["key"]: row["slug"] for row in rows["Org"]}
    for row in rows["Resource"]:
        kind = types[row["type"]]
        yield {
            **_titled(row),
            "org_id": row["org"],
            "type_id": kind["key"],
            "slug": row["slug"],
            "path": f"{slugs[row['org']]}/{row['slug']}",
            "details": row["metadata"],
            "owner_id": row["owner"],
            "size_bytes": row["sizeBytes"],
            "full_mask": resource_roles.ALL if kind["hasData"] else resource_roles.NON_DATA,
            "revision": row["accessRevision"],
            "edit_revision": row["revision"],
            "updated_at": row["updatedAt"],
        }


def _lock(resource: Row, lock: Row) -> Row:
    when = {"reason": lock["reason"], "created_at": lock["createdAt"]}
    return {"resource_id": resource["key"], "user_id": lock["user"], "user_name": lock["userName"], **when}


def _event(resource: Row, event: Row) -> Row:
    return {"id": event["key"], "is_lock": event["action"] == "LOCK", **_lock(resource, event)}


def _ticket(row: Row, orgs: Mapping[int, int]) -> Row:
    return {
        "key": row["key"],
        "resource_id": row["resource"],
        "org_id": orgs[row["resource"]],
        "user_id": row["user"],
        "is_upload": row["kind"] == "UPLOAD",
        "bytes": row["sizeBytes"],
        "stage": int(Stage[row["stage"]]),
        "created_at": row["createdAt"],
        "expires_at": row["expiresAt"],
    }


def _audit_event(row: Row) -> Row:
    return {
        "id": row["key"],
        "at": row["createdAt"],
        "actor_id": row["actor"],
        "actor_name": row["actorName"],
        "actor_key": None if row["actorName"] is None else folded(row["actorName"]),
        "face": row["channel"],
        "address": row["address"],
        "request_id": row["requestId"],
        "action": row["action"],
    }


def _audit_change(event: Row, row: Row) -> Row:
    kind, key = row["of"]
    state = {"name": row["objectName"], "before": row["before"], "after": row["after"]}
    about = {"kind": kind, "key": key, "subject": identity({"__typename": kind, "key": key})}
    return {"id": row["key"], "event_id": event["key"], "at": event["createdAt"], **about, **state}


def _token(row: Row) -> Row:
    return {
        "id": row["key"],
        "user_id": row["user"],
        "name": row["name"],
        "name_key": sort_key(row["name"]),
        "prefix": row["prefix"],
        "hash": api_token_format.digest(row["secret"]),
        "permissions": sum(1 << PERMISSIONS.index(name) for name in row["permissions"]),
        "is_limited": row["isLimited"],
        "created_at": row["createdAt"],
        "expires_at": row["expiresAt"],
        "last_used_at": row["lastUsedAt"],
    }


def _grant(resource: Row, grant: Row) -> Row:
    kind, key = SubjectType[grant["kind"]], grant["subject"]
    return {
        "id": grant["key"],
        "resource_id": resource["key"],
        "subject": resource_roles.subject_id(kind, key),
        "group_id": key if kind is SubjectType.GROUP else None,
        "user_id": key if kind is SubjectType.USER else None,
        "mask": sum(1 << ROLES.index(role) for role in grant["roles"]),
        "expires_at": grant["expiresAt"],
        "granted_at": grant["grantedAt"],
        "granted_by": grant["grantedBy"],
        "granted_by_name": grant["grantedByName"],
    }
