"""The replies of the naive executor, and the fields that are more than a value of their row."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from graphql import DocumentNode, ExecutionResult, execute_sync

from tests.oracle.naive import PRIVATE, SDL, Reading, capabilities, entries, every, first, identity, visible_row
from tests.oracle.naive.kinds import KINDS, member_kind
from tests.oracle.naive.lists import Row, folded, page, refuse, sort_key
from tests.oracle.naive.rights import listed

NAMES = {"User": "userName", "Role": "name", "Org": "slug", "Group": "slug"}
OPEN = ("ANYONE", "GENERAL")


def _node(reading: Reading, parent: Row, id: str) -> Any:  # noqa: A002 - the argument's name in the API
    return first(row for kind in reading.rows for row in every(reading, kind) if identity(row) == id)


def _nodes(reading: Reading, parent: Row, ids: Sequence[str]) -> Any:
    refuse(len(ids) > 100)
    return [_node(reading, parent, each) for each in ids]


def _lookup(kind: str) -> Callable[..., Any]:
    def find(reading: Reading, parent: Row, by: Row) -> Any:
        ((name, value),) = by.items()
        if name == "id":
            return first(row for row in every(reading, kind) if identity(row) == value)
        if name == "email":
            own = (row for row in reading.rows[kind] if reading.is_own(row) and row["email"])
            return first(row for row in own if folded(row["email"]) == folded(value))
        rows = reading.rows[kind] if kind == "User" and reading.finds_everybody else every(reading, kind)
        return first(row for row in rows if _is_named(reading, row, value))

    return find


def _is_named(reading: Reading, row: Row, value: Any) -> bool:
    if row["__typename"] != "Resource":
        return folded(row[NAMES[row["__typename"]]]) == folded(value)
    org = reading.one("Org", row["org"])
    assert org is not None
    return [org["slug"], row["slug"]] == [folded(value["orgSlug"]), folded(value["slug"])]


def _listing(kind: str, below: Callable[..., Iterable[Row]]) -> Callable[..., Any]:
    """Return a connection of rows below a parent."""

    def read(reading: Reading, parent: Row, **arguments: Any) -> Any:
        return page(reading, KINDS[kind], list(below(reading, parent)), arguments)

    return read


def _everything(kind: str) -> Callable[..., Any]:
    return _listing(kind, lambda reading, parent: every(reading, kind))


def _members(reading: Reading, thing: Row, **arguments: Any) -> Any:
    """Return the members of an org or a group, with the values of their memberships."""
    members = reading.rights.members(thing)
    rows = [user for user in reading.rows["User"] if user["key"] in members]
    return page(reading, member_kind(thing["__typename"], members), rows, arguments, lambda user: members[user["key"]])


def _belonging(kind: str) -> Callable[..., Any]:
    """Return the orgs or groups of a user whose members the viewer sees, with the values of the memberships."""
    seen = Reading.sees_members if kind == "Org" else Reading.sees_group_members

    def read(reading: Reading, user: Row, **arguments: Any) -> Any:
        is_own = user["key"] == reading.key and kind == "Group"
        joined = [row for row in every(reading, kind) if user["key"] in reading.rights.members(row)]
        rows = [row for row in joined if is_own or seen(reading, row)]
        return page(reading, KINDS[kind], rows, arguments, lambda row: row["members"][user["key"]])

    return read


def _events(reading: Reading, resource: Row, **arguments: Any) -> Any:
    """Return the events of a resource, with its state before and after."""
    about = {event["key"]: each for event in reading.rows["AuditEvent"] for each in _done(event, resource)}
    rows = [event for event in reading.rows["AuditEvent"] if event["key"] in about]
    return page(reading, KINDS["AuditEvent"], rows, arguments, lambda event: about[event["key"]])


def _done(event: Row, resource: Row) -> list[Row]:
    mine = [each for each in event["changes"] if each["of"] == ("Resource", resource["key"])]
    return [{"before": each["before"], "after": each["after"]} for each in mine]


def _accessible(reading: Reading, user: Row, **arguments: Any) -> Any:
    """Return the resources on which the user holds a role; of another user, those that the viewer sees."""
    role, kind = arguments.pop("role", None) or "METADATA_READ", arguments.pop("type", None)
    is_own = user["key"] == reading.key
    rows = [row for row in reading.rows["Resource"] if role in _visible_roles(reading, user, row)]
    rows = [row for row in rows if is_own or reading.sees_resource(row)]
    return page(reading, KINDS["Resource"], [row for row in rows if kind in {None, row["type"]}], arguments)


def _visible_roles(reading: Reading, user: Row, resource: Row) -> frozenset[str]:
    """Return the roles of a user as far as the viewer sees them; their own roles as far as the token allows."""
    if user["key"] == reading.key:
        return reading.holds(resource)
    return reading.rights.holds(user["key"], resource) if reading.covers(resource) else frozenset()


def _access_subjects(reading: Reading, resource: Row, **arguments: Any) -> Any:
    """Return the entries for all of a kind, then groups by slug, then users by name with roles by their own paths."""
    role = arguments.pop("role", None) or "METADATA_READ"
    subjects = [subject for subject in _reached_by(reading, resource) if role in subject["roles"]]
    return page(reading, KINDS["AccessSubject"], subjects, arguments)


def _access_groups(reading: Reading, resource: Row, **arguments: Any) -> Any:
    """Return the groups with a current grant that gives a role, or the given one."""
    role, rights = arguments.pop("role", None), reading.rights
    rows = []
    for grant in resource["grants"]:
        group = rights.by_key["Group"][grant["subject"]] if grant["kind"] == "GROUP" and rights.lasts(grant) else None
        roles = rights.closed([grant["roles"]], resource) if group else ()
        if group in every(reading, "Group") and (role in roles if role else roles):
            rows.append(group)
    return page(reading, KINDS["Group"], rows, arguments)


def _several(key: int, kind: str, roles: Iterable[str], name: str = "", **more: Any) -> Row:
    """Return an entry of several users."""
    entry = {"key": key, "name": name, "kind": kind, "roles": listed(roles)}
    return {**entry, "user": None, "group": None, "memberCount": None, **more}


def _reached_by(reading: Reading, resource: Row) -> Iterable[Row]:
    rights, org = reading.rights, reading.rights.by_key["Org"][resource["org"]]
    grants = [grant for grant in resource["grants"] if rights.lasts(grant)]
    for at, kind in enumerate(OPEN):
        yield _several(at, kind, rights.closed([each["roles"] for each in grants if each["kind"] == kind], resource))
    hidden: set[tuple[str, int]] = set()
    if not reading.sees_members(org):
        hidden.add(("ORG", org["key"]))
        number = len(rights.members(org)) + (org["owner"] is not None) if reading.sees_org(org) else None
        yield _several(4, "ORG", rights.full(resource), memberCount=number)
    if not reading.sees_all_users:
        hidden.add(("PERMISSION", 0))
        yield _several(6, "PERMISSION", rights.full(resource))
    for grant in grants:
        group = rights.by_key["Group"][grant["subject"]] if grant["kind"] == "GROUP" else None
        if group is not None and not reading.sees_group_members(group):
            hidden.add(("GROUP", group["key"]))
            visible = {"group": group["key"], "memberCount": len(rights.members(group))}
            yield _several(
                group["key"], "GROUP", rights.closed([grant["roles"]], resource), f"!{group['slug']}", **visible
            )
    for user in rights.rows["User"]:
        paths = [path for path in rights.paths(user["key"], resource) if path.kind not in OPEN]
        own = [path.granted for path in paths if (path.kind, path.key) not in hidden]
        key, name = user["key"], folded(user["userName"])
        yield _several(key, "USER", rights.closed(own, resource), name, user=key)


def _granted(reading: Reading, resource: Row) -> Any:
    return listed(role for path in reading.paths(resource) for role in path.granted)


def _sources(reading: Reading, resource: Row) -> Any:
    return [
        {
            "kind": path.kind,
            "grantedRoles": listed(path.granted),
            "effectiveRoles": listed(reading.rights.closed([path.granted], resource)),
            "group": path.key if path.kind == "GROUP" else None,
            "orgLevel": path.level,
            "expiresAt": path.end,
        }
        for path in reading.paths(resource)
    ]


def _entry(kind: str) -> Callable[..., Any]:
    """Return the entry for all users of a kind."""
    return lambda reading, resource: first(grant for grant in resource["grants"] if grant["kind"] == kind)


def _entries(kind: str, of: str, name: str) -> Callable[..., Any]:
    """Return the entries of groups or users, by name."""

    def read(reading: Reading, resource: Row) -> Any:
        rows: Mapping[int, Row] = reading.rights.by_key[of]
        grants = [grant for grant in resource["grants"] if grant["kind"] == kind]
        return sorted(grants, key=lambda grant: (sort_key(rows[grant["subject"]][name]), grant["subject"]))

    return read


def _one(kind: str, at: str) -> Callable[..., Any]:
    """Return the row that another one references, for every viewer."""
    return lambda reading, parent: reading.one(kind, parent[at])


def _visible_row(kind: str, at: str) -> Callable[..., Any]:
    """Return the row that another one references, if the viewer sees it."""
    return lambda reading, parent: visible_row(reading, kind, parent[at])


MEGABYTE, MOST = 2**20, 2**53 - 1


def _total(reading: Reading, user: Row) -> int | None:
    """Return the quota in the metadata of a user."""
    quota = user["metadata"].get("maxStorageMB")
    return None if quota is None else int(min(quota * MEGABYTE, MOST))


def _used(reading: Reading, user: Row) -> int:
    """Return the bytes in the orgs of a user, with those that uploads have reserved."""
    return _stored(reading, [row for row in reading.rows["Resource"] if _owner(reading, row) == user["key"]])


def _used_in_org(reading: Reading, org: Row) -> int:
    return _stored(reading, [row for row in reading.rows["Resource"] if row["org"] == org["key"]])


def _stored(reading: Reading, resources: list[Row]) -> int:
    """Return the bytes of resources, with those that uploads have reserved for them."""
    owned = {row["key"]: row for row in resources}
    tickets = [row for row in reading.rows["Ticket"] if row["resource"] in owned and row["kind"] == "UPLOAD"]
    open_ = [row["sizeBytes"] for row in tickets if row["stage"] == "OPEN" and reading.rights.lasts(row)]
    return int(min(sum(row["sizeBytes"] for row in owned.values()) + sum(open_), MOST))


def _owner(reading: Reading, resource: Row) -> int | None:
    org = reading.one("Org", resource["org"])
    assert org is not None
    owner: int | None = org["owner"]
    return owner


def _ticket(reading: Reading, parent: Row, id: str) -> Any:  # noqa: A002 - the argument's name in the API
    return first(row for row in reading.rows["Ticket"] if row["key"] == id)


def _state(reading: Reading, ticket: Row) -> str:
    """Return the state of a ticket, which is revoked when its user has lost the role."""
    if ticket["stage"] != "OPEN" or not reading.rights.lasts(ticket):
        return "EXPIRED" if ticket["stage"] == "OPEN" else str(ticket["stage"])
    resource, is_upload = reading.one("Resource", ticket["resource"]), ticket["kind"] == "UPLOAD"
    assert resource is not None
    role = "DATASET_DATA_WRITE" if is_upload else "DATASET_DATA_READ"
    may = role in reading.rights.holds(ticket["user"], resource) and not (is_upload and resource["lock"])
    return "OPEN" if may else "REVOKED"


def _limits(kind: str, at: str) -> Callable[..., Any]:
    """Return the objects in the scope of a token that the viewer sees, by name."""

    def read(reading: Reading, token: Row) -> Any:
        rows = [row for row in every(reading, kind) if row["key"] in token[at]]
        return sorted(rows, key=lambda row: (sort_key(row["name"]), row["key"]))

    return read


def _itself(reading: Reading, row: Row) -> Row:
    return row


FIELDS: dict[tuple[str, str], Callable[..., Any]] = {
    ("Query", "viewer"): lambda reading, parent: {"__typename": "Viewer"},
    ("Query", "node"): _node,
    ("Query", "nodes"): _nodes,
    ("Query", "permissions"): capabilities.permissions,
    ("Query", "orgLevels"): capabilities.org_levels,
    ("Query", "registry"): capabilities.registry,
    ("Viewer", "hasDefaultPassword"): lambda reading, viewer: False,
    ("Viewer", "can"): capabilities.of_viewer,
    ("User", "viewerCan"): capabilities.of_user,
    ("Org", "viewerCan"): capabilities.of_org,
    ("Group", "viewerCan"): capabilities.of_group,
    ("Resource", "viewerCan"): capabilities.of_resource,
    ("Resource", "type"): lambda reading, resource: first(
        kind for kind in reading.rows["ResourceType"] if kind["name"] == resource["type"]
    ),
    ("ResourceType", "label"): capabilities.type_label,
    ("ResourceType", "description"): capabilities.type_description,
    ("ResourceType", "roles"): capabilities.type_roles,
    ("Org", "viewerIsOwner"): capabilities.is_owner,
    ("Org", "memberCount"): lambda reading, org: len(reading.rights.members(org)),
    ("UserOrgEdge", "addedBy"): _visible_row("User", "addedBy"),
    ("UserGroupEdge", "addedBy"): _visible_row("User", "addedBy"),
    ("Query", "user"): _lookup("User"),
    ("Query", "users"): _everything("User"),
    ("Query", "role"): _lookup("Role"),
    ("Query", "roles"): _everything("Role"),
    ("Query", "org"): _lookup("Org"),
    ("Query", "orgs"): _everything("Org"),
    ("Query", "group"): _lookup("Group"),
    ("Query", "groups"): _everything("Group"),
    ("Query", "resource"): _lookup("Resource"),
    ("Query", "resources"): _everything("Resource"),
    ("Query", "resourceTypes"): _everything("ResourceType"),
    ("Query", "ticket"): _ticket,
    ("Query", "auditEvents"): _everything("AuditEvent"),
    ("AuditEvent", "actor"): _one("User", "actor"),
    ("AuditEvent", "changes"): _listing("AuditChange", lambda reading, event: event["changes"]),
    ("Resource", "auditEvents"): _events,
    ("Query", "apiTokens"): _everything("ApiToken"),
    ("Viewer", "apiToken"): lambda reading, parent: reading.token,
    ("User", "apiTokens"): _listing(
        "ApiToken", lambda reading, user: [row for row in reading.rows["ApiToken"] if row["user"] == user["key"]]
    ),
    ("ApiToken", "user"): _visible_row("User", "user"),
    ("ApiToken", "orgs"): _limits("Org", "orgs"),
    ("ApiToken", "resources"): _limits("Resource", "resources"),
    ("Viewer", "user"): lambda reading, parent: reading.viewer,
    ("Viewer", "permissions"): lambda reading, parent: reading.permissions,
    ("User", "roles"): lambda reading, user: sorted(reading.roles_of(user), key=lambda role: folded(role["name"])),
    ("User", "orgs"): _belonging("Org"),
    ("User", "ownedOrgs"): _listing(
        "Org", lambda reading, user: [org for org in every(reading, "Org") if org["owner"] == user["key"]]
    ),
    ("User", "ownedResources"): _listing(
        "Resource", lambda reading, user: [row for row in every(reading, "Resource") if row["owner"] == user["key"]]
    ),
    ("User", "groups"): _belonging("Group"),
    ("User", "accessibleResources"): _accessible,
    ("User", "grants"): entries.of_user,
    ("UserResourceEdge", "isExpired"): lambda reading, grant: not reading.rights.lasts(grant),
    ("User", "storage"): _itself,
    ("Storage", "quotaBytes"): _total,
    ("Storage", "usedBytes"): _used,
    ("Ticket", "resource"): _visible_row("Resource", "resource"),
    ("Ticket", "state"): _state,
    ("Role", "users"): _listing(
        "User", lambda reading, role: [user for user in every(reading, "User") if role["key"] in user["roles"]]
    ),
    ("Org", "owner"): _one("User", "owner"),
    ("Org", "viewerLevel"): lambda reading, org: reading.rights.level(reading.key, org),
    ("Org", "members"): _members,
    ("Org", "storage"): _itself,
    ("OrgStorage", "usedBytes"): _used_in_org,
    ("Org", "resources"): _listing(
        "Resource", lambda reading, org: [row for row in every(reading, "Resource") if row["org"] == org["key"]]
    ),
    ("OrgMemberEdge", "addedBy"): _visible_row("User", "addedBy"),
    ("Group", "members"): _members,
    ("Group", "memberCount"): lambda reading, group: len(reading.rights.members(group)),
    ("Group", "viewerIsMember"): Reading.is_my_group,
    ("GroupMemberEdge", "addedBy"): _visible_row("User", "addedBy"),
    ("Resource", "org"): _visible_row("Org", "org"),
    ("Resource", "owner"): _one("User", "owner"),
    ("Resource", "lockHistory"): _listing("LockEvent", lambda reading, resource: resource["history"]),
    ("Lock", "lockedBy"): _one("User", "user"),
    ("Lock", "lockedByName"): lambda reading, lock: lock["userName"],
    ("LockEvent", "actor"): _one("User", "user"),
    ("LockEvent", "actorName"): lambda reading, event: event["userName"],
    ("Resource", "viewerAccess"): _itself,
    ("ViewerAccess", "grantedRoles"): _granted,
    ("ViewerAccess", "effectiveRoles"): lambda reading, row: listed(reading.holds(row)),
    ("ViewerAccess", "sources"): _sources,
    ("AccessSource", "group"): _visible_row("Group", "group"),
    ("Resource", "access"): _itself,
    ("AccessConfiguration", "general"): _entry("GENERAL"),
    ("AccessConfiguration", "anyone"): _entry("ANYONE"),
    ("AccessConfiguration", "groups"): _entries("GROUP", "Group", "displayName"),
    ("AccessConfiguration", "users"): _entries("USER", "User", "userName"),
    ("AccessConfiguration", "revision"): lambda reading, resource: resource["accessRevision"],
    **{
        (kind, name): read
        for kind in ("GroupGrant", "UserGrant", "WildcardGrant")
        for name, read in (
            ("isExpired", lambda reading, grant: not reading.rights.lasts(grant)),
            ("grantedBy", _visible_row("User", "grantedBy")),
        )
    },
    ("GroupGrant", "group"): _visible_row("Group", "subject"),
    ("UserGrant", "user"): _one("User", "subject"),
    ("Resource", "accessSubjects"): _access_subjects,
    ("Resource", "accessGroups"): _access_groups,
    ("AccessSubject", "user"): _one("User", "user"),
    ("AccessSubject", "group"): _visible_row("Group", "group"),
}


def answered(
    reading: Reading, document: DocumentNode, variables: Mapping[str, Any], name: str | None = None
) -> ExecutionResult:
    """Execute a document naively."""
    return execute_sync(SDL, document, None, reading, dict(variables), name, field_resolver=_resolve)


def _resolve(parent: Any, info: Any, **arguments: Any) -> Any:
    place = info.parent_type.name, info.field_name
    if place in PRIVATE and not PRIVATE[place](info.context, parent):
        return None
    if place[1] == "id":
        return identity(parent)
    return FIELDS[place](info.context, parent, **arguments) if place in FIELDS else parent[info.field_name]
