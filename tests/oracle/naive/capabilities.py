"""What a viewer can do with an object, and the texts of catalogues, over plain rows."""

from datetime import datetime
from typing import Any

from app import __version__
from tests.oracle.naive import PERMISSIONS, SDL, Reading
from tests.oracle.naive.lists import Row
from tests.oracle.naive.rights import ALL, IMPLIED, LEVELS, OF_DATA, READ, listed

LEVEL_NAMES = [*LEVELS]
LABELS = {
    "METADATA_READ": ("Metadata Read", "Discover the resource and view its metadata."),
    "METADATA_WRITE": ("Metadata Write", "Edit the resource metadata."),
    "DATASET_DATA_READ": ("Dataset Data Read", "Download the dataset files."),
    "DATASET_DATA_WRITE": ("Dataset Data Write", "Upload and modify dataset files."),
    "ADMIN": ("Admin", "All roles and permissions, and access to locks and access control."),
}
TYPE_LABELS = {"MODEL_RUN": "Model Run", "ORGANISATION": "Organization", "SPECIMEN": "Specimen"}
TYPE_TEXTS = {
    "DATASET": "Data files with their metadata.",
    "MODEL": "A model, described by metadata.",
    "MODEL_RUN": "One run of a model, described by metadata.",
    "WORKFLOW": "Steps that process data, described by metadata.",
    "STUDY": "A study, described by metadata.",
    "PERSON": "A person, described by metadata. It is no account.",
    "ORGANISATION": "An organization, described by metadata. It contains no resources.",
}
PERMISSION_LABELS = {
    "USERS_VIEW": "View Users",
    "USERS_MANAGE": "Manage Users",
    "ROLES_MANAGE": "Manage Roles",
    "ORGS_CREATE": "Create Organizations",
    "ORGS_MANAGE": "Manage Organizations",
    "GROUPS_MANAGE": "Manage Groups",
    "RESOURCES_MANAGE": "Manage Resources",
    "AUDIT_VIEW": "View the Audit Log",
    "ACCESS_VIEW": "View Access",
    "GROUPS_VIEW": "View Groups",
    "RESOURCES_VIEW": "View Resources",
}
LEVEL_LABELS = {
    "READ_ONLY": "Read Only",
    "READ_WRITE": "Read and Write",
    "READ_WRITE_DELETE": "Read, Write and Delete",
    "ADMIN": "Admin",
}

GROUP_CONTACT = "Ask at https://example.org/groups"
"""The setting `GroupContact` of all worlds."""


def type_label(reading: Reading, kind: Row) -> str:
    name: str = kind["name"]
    return TYPE_LABELS.get(name, name.capitalize())


def type_description(reading: Reading, kind: Row) -> str | None:
    return TYPE_TEXTS.get(kind["name"])


def type_roles(reading: Reading, kind: Row) -> list[Row]:
    full = ALL if kind["hasData"] else ALL - OF_DATA
    return [
        {
            "role": role,
            "label": LABELS[role][0],
            "description": LABELS[role][1],
            "impliedRoles": listed((IMPLIED[role] & full) - {role}),
            "isDefault": role in READ,
            "grantableToAnyone": role in READ,
        }
        for role in listed(full)
    ]


def org_levels(reading: Reading, parent: Row) -> list[Row]:
    values: Any = SDL.type_map["OrgLevel"]
    return [
        {"level": name, "label": LEVEL_LABELS[name], "description": values.values[name].description}
        for name in LEVEL_NAMES
    ]


def registry(reading: Reading, parent: Row) -> Row:
    """Return the registry with the settings of all worlds: the default ones and the contact."""
    kinds = ("Digit", "Uppercase", "Lowercase", "NonAlphanumeric")
    return {
        "version": __version__,
        "userManagement": "LOCAL",
        "isStorageLimited": False,
        "groupContact": GROUP_CONTACT,
        "passwordPolicy": {"minLength": 12, **{f"requires{kind}": False for kind in kinds}},
    }


def of_viewer(reading: Reading, viewer: Row) -> Row:
    has_session = reading.viewer is not None and reading.token is None
    return {
        "createUsers": reading.may("USERS_MANAGE"),
        "createRoles": reading.may("ROLES_MANAGE"),
        "createOrgs": reading.may("ORGS_CREATE"),
        "createGroups": reading.may("GROUPS_MANAGE"),
        "createResourceTypes": reading.may("RESOURCES_MANAGE") and not reading.is_limited,
        "createApiTokens": has_session,
        "changePassword": has_session,
        "seeAllUsers": reading.sees_all_users,
        "seeAllOrgsAndResources": reading.sees_all_things,
        "seeAuditEvents": reading.may("AUDIT_VIEW"),
        "seeAllAccess": reading.may("ACCESS_VIEW"),
    }


def of_user(reading: Reading, user: Row) -> Row:
    rights, has_session = reading.rights, reading.viewer is not None and reading.token is None
    held = {name for role in reading.roles_of(user) for name in role["permissions"]}
    changes = reading.may("USERS_MANAGE") and held <= {*reading.permissions}
    acts_as = changes and (user is reading.viewer or not _holds_more(reading, user))
    is_admin = any(role["name"] == "admin" for role in reading.roles_of(user))
    is_gone, is_service = user["key"] in rights.deactivated, user["isServiceAccount"]
    keeps_an_admin = any(
        each is not user and any(role["name"] == "admin" for role in reading.roles_of(each))
        for each in reading.rows["User"]
        if each["key"] not in rights.deactivated and not each["isServiceAccount"]
    )
    owned = [org["key"] for org in reading.rows["Org"] if org["owner"] == user["key"]]
    locked = any(row["lock"] for row in reading.rows["Resource"] if row["owner"] == user["key"] or row["org"] in owned)
    return {
        "update": changes,
        "rename": changes,
        "setMetadata": changes,
        "assignRoles": changes,
        "deactivate": changes and not is_gone and (keeps_an_admin or not is_admin),
        "reactivate": changes and is_gone,
        "resetPassword": acts_as and has_session and not is_service,
        "createApiTokens": has_session and (user is reading.viewer or (acts_as and is_service)),
        "delete": changes and keeps_an_admin and not locked,
        "seeDetails": reading.is_own(user),
        "seeAccessibleResources": user is reading.viewer or reading.may("ACCESS_VIEW"),
    }


def _holds_more(reading: Reading, user: Row) -> bool:
    """Check that the user has access that the viewer lacks or loses earlier."""
    parts = (("ORGS_MANAGE", "Org", _more_in_org), ("GROUPS_MANAGE", "Group", _more_in_group))
    return any(
        not reading.may(permission) and any(exceeds(reading, user, row) for row in reading.rows[kind])
        for permission, kind, exceeds in (*parts, ("RESOURCES_MANAGE", "Resource", _more_on))
    )


def _more_in_org(reading: Reading, user: Row, org: Row) -> bool:
    member, own = _memberships(reading, user, org)
    if org["owner"] == user["key"]:
        return True
    if member is None or org["owner"] == reading.key:
        return False
    enough = own is not None and LEVEL_NAMES.index(own["level"]) >= LEVEL_NAMES.index(member["level"])
    return not (enough and _lasts_as_long(own["expiresAt"], member["expiresAt"]))


def _more_in_group(reading: Reading, user: Row, group: Row) -> bool:
    member, own = _memberships(reading, user, group)
    if member is None:
        return False
    enough = own is not None and (own["isManager"] or not member["isManager"])
    return not (enough and _lasts_as_long(own["expiresAt"], member["expiresAt"]))


def _memberships(reading: Reading, user: Row, thing: Row) -> tuple[Any, Any]:
    members = reading.rights.members(thing)
    return members.get(user["key"]), members.get(reading.key or 0)


def _more_on(reading: Reading, user: Row, resource: Row) -> bool:
    if resource["owner"] == user["key"] and not _transfers(reading, resource):
        return True
    rights = reading.rights
    for grant in resource["grants"]:
        if grant["kind"] == "USER" and grant["subject"] == user["key"] and rights.lasts(grant):
            as_long = [path.granted for path in reading.paths(resource) if _lasts_as_long(path.end, grant["expiresAt"])]
            if not rights.closed([grant["roles"]], resource) <= rights.closed(as_long, resource):
                return True
    return False


def _lasts_as_long(end: datetime | None, other: datetime | None) -> bool:
    return end is None or (other is not None and end >= other)


def _has_level(reading: Reading, org: Row, least: str) -> bool:
    if not reading.covers_org(org):
        return False
    level = reading.rights.level(reading.key, org)
    return reading.may("ORGS_MANAGE") or (level is not None and LEVEL_NAMES.index(level) >= LEVEL_NAMES.index(least))


def is_owner(reading: Reading, row: Row) -> bool:
    return reading.key is not None and row["owner"] == reading.key


def of_org(reading: Reading, org: Row) -> Row:
    is_free = not any(row["lock"] for row in reading.rows["Resource"] if row["org"] == org["key"])
    owns = reading.covers_org(org) and (is_owner(reading, org) or reading.may("ORGS_MANAGE"))
    return {
        "update": _has_level(reading, org, "READ_WRITE"),
        "delete": _has_level(reading, org, "READ_WRITE_DELETE") and is_free,
        "transfer": owns and is_free,
        "manageMembers": _has_level(reading, org, "ADMIN"),
        "leave": reading.key in reading.rights.members(org),
        "createResources": _has_level(reading, org, "READ_WRITE"),
        "seeMembers": reading.sees_members(org),
    }


def of_group(reading: Reading, group: Row) -> Row:
    own = reading.rights.members(group).get(reading.key or 0)
    manages = reading.may("GROUPS_MANAGE")
    return {
        "update": manages,
        "delete": manages,
        "manageMembers": manages or (own is not None and own["isManager"] and not reading.is_limited),
        "seeMembers": reading.sees_group_members(group),
    }


def of_resource(reading: Reading, resource: Row) -> Row:
    roles, is_free = reading.holds(resource), resource["lock"] is None
    org, is_admin = reading.rights.by_key["Org"][resource["org"]], "ADMIN" in roles
    level = reading.rights.level(reading.key, org)
    deletes = reading.may("ORGS_MANAGE") or level in LEVEL_NAMES[2:]
    return {
        "updateMetadata": "METADATA_WRITE" in roles and is_free,
        "download": "DATASET_DATA_READ" in roles,
        "upload": "DATASET_DATA_WRITE" in roles and is_free,
        "seeAccess": reading.sees_configuration(resource),
        "changeAccess": is_admin,
        "seeAccessSubjects": reading.sees_accessors(resource),
        "seeAuditEvents": reading.may("AUDIT_VIEW") or is_admin,
        "lock": is_admin and is_free,
        "unlock": is_admin and not is_free,
        "transfer": _transfers(reading, resource) and is_free,
        "delete": (is_admin or deletes) and is_free,
    }


def _transfers(reading: Reading, resource: Row) -> bool:
    org = reading.rights.by_key["Org"][resource["org"]]
    member = reading.rights.members(org).get(reading.key or 0)
    is_admin = member is not None and member["level"] == "ADMIN" and member["expiresAt"] is None
    return reading.may("RESOURCES_MANAGE") or is_owner(reading, resource) or is_owner(reading, org) or is_admin


def permissions(reading: Reading, parent: Row) -> list[Row]:
    values: Any = SDL.type_map["Permission"]
    return [
        {"permission": name, "label": PERMISSION_LABELS[name], "description": values.values[name].description}
        for name in PERMISSIONS
    ]
