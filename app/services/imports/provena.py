"""Provena: the export of its groups with their members, and that of its registry: items with access and lock.

Each JSON file is one of both exports, told by its items: `{"items": [...]}` or the list alone. A group is
`{id, display_name, description, users: [{username, email, first_name, last_name}]}`. An item of the registry is
`{id, item_payload, auth_payload: {access_settings: {owner, general, groups}}, lock_payload: {lock_information}}`.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson

from app.domain import resource_roles
from app.services import validation
from app.services.imports.translation import (
    Translation,
    UnreadableSource,
    UserNames,
    is_text,
    printable,
    slug,
    text_or_empty,
    title,
)
from app.services.state.model import ROLE_BITS, Doc

MAX_BYTES = 256 * 1024 * 1024
"""Bytes of one file, which is read as a whole."""

ROLES = {
    "metadata-read": "METADATA_READ",
    "metadata-write": "METADATA_WRITE",
    "dataset-data-read": "DATASET_DATA_READ",
    "dataset-data-write": "DATASET_DATA_WRITE",
    "admin": "ADMIN",
}
DATASET = "DATASET"
"""The subtype whose items have data."""

BUILT_IN_TYPES = frozenset({DATASET, "MODEL", "MODEL_RUN", "WORKFLOW", "STUDY", "PERSON", "ORGANISATION"})

UNKNOWN_REASON = "Locked in Provena."
"""The reason of a lock whose history does not tell it."""

_NOT_METADATA = frozenset({"display_name", "history"})
"""Values of an item that are not kept as metadata: its name, and the versions of it, which may be long."""


def translate(source: Path, *, org: str, plain_names: bool) -> Translation:
    """Return the objects of the exports in a file or a folder. Raises UnreadableSource."""
    paths = sorted(source.glob("*.json")) if source.is_dir() else [source]
    if not paths:
        raise UnreadableSource(f"{source} has no file .json")
    groups, items = list[Doc](), list[Doc]()
    for path in paths:
        for entry in _read_entries(path):
            if "item_payload" in entry:
                items.append(entry)
            elif "users" in entry:
                groups.append(entry)
            else:
                raise UnreadableSource(
                    f"{path} is no export of Provena: an item has neither `item_payload` nor `users`"
                )
    return _Registry(groups, items, org, plain_names=plain_names).translation


def _read_entries(path: Path) -> Sequence[Doc]:
    try:
        if not path.is_file():
            raise UnreadableSource(f"there is no file {path}")
        if path.stat().st_size > MAX_BYTES:
            raise UnreadableSource(f"{path} has more than {MAX_BYTES // 1024**2} MiB")
        content = orjson.loads(path.read_bytes())
    except OSError as error:
        raise UnreadableSource(f"{path} cannot be read: {error.strerror}") from None
    except orjson.JSONDecodeError as error:
        raise UnreadableSource(f"{path} is not JSON: {error}") from None
    entries = content.get("items") if isinstance(content, dict) else content
    if not isinstance(entries, list) or not all(isinstance(each, dict) for each in entries):
        raise UnreadableSource(f"{path} is no export of Provena: it has no list `items` of objects")
    return entries


class _Registry:
    """Builds the translation from the entries of all files."""

    def __init__(self, groups: Sequence[Doc], items: Sequence[Doc], org: str, *, plain_names: bool) -> None:
        self.translation = Translation()
        self._org = org
        people = [user for group in groups for user in _objects(group["users"])]
        owners = [_access_settings(item).get("owner") for item in items]
        names = [name for name in [*(user.get("username") for user in people), *owners] if is_text(name)]
        self._names = UserNames(names, plain=plain_names)
        self._add_users(people, names)
        self._group_slugs: dict[str, str] = {}
        for group in groups:
            self._add_group(group)
        if items:
            self.translation.add("org", {"slug": org, "name": title(org.capitalize(), org)})
        for item in items:
            self._add_item(item)

    def _add_users(self, people: Sequence[Doc], names: Sequence[str]) -> None:
        """Add everyone who is a member of a group or an owner, once, with what the groups tell."""
        facts: dict[str, Doc] = {}
        for person in people:
            if is_text(name := person.get("username")):
                facts.setdefault(validation.normalize_key(name), person)
        seen = set[str]()
        for name in names:
            if (key := validation.normalize_key(name)) in seen:
                continue
            seen.add(key)
            if self._names.is_ambiguous(name):
                self.translation.leave_out(f"user {printable(name)}", "Another user would have the same plain name.")
                continue
            self.translation.add("user", {"userName": self._names.local_name(name), **_user_fields(facts.get(key, {}))})

    def _add_group(self, group: Doc) -> None:
        name = group.get("id")
        if not is_text(name):
            self.translation.leave_out(f"group {printable(str(name))}", "It has no id.")
            return
        members: list[Doc] = []
        new: Doc = {"slug": slug(name) or name, "displayName": title(text_or_empty(group.get("display_name")), name)}
        new |= {"description": text_or_empty(group.get("description")), "members": members}
        if not self.translation.add("group", new):
            return
        self._group_slugs[name] = new["slug"]
        for user in _objects(group["users"]):
            place = f"of group {printable(new['slug'])}"
            if not is_text(user_name := user.get("username")):
                self.translation.leave_out(f"a member {place}", "It has no user name.")
                continue
            member = self._names.local_name(user_name)
            key = new["slug"], validation.normalize_key(member)
            if self.translation.is_first(f"member {printable(member)} {place}", "member", *key):
                members.append({"user": member})

    def _add_item(self, item: Doc) -> None:
        payload = item["item_payload"]
        handle, access = item.get("id"), _access_settings(item)
        if not isinstance(payload, dict) or not is_text(handle):
            self.translation.leave_out(f"item {printable(str(handle))}", "It has no id or no content.")
            return
        kind = payload.get("item_subtype")
        if not is_text(kind):
            self.translation.leave_out(f"item {printable(handle)}", "It has no `item_subtype`.")
            return
        if kind not in BUILT_IN_TYPES and not self._has_type(kind):
            self.translation.add("resourceType", {"name": kind})
        resource: Doc = {"org": self._org, "slug": slug(handle) or handle, "type": kind}
        resource["name"] = title(text_or_empty(payload.get("display_name")), handle)
        resource["metadata"] = {name: value for name, value in payload.items() if name not in _NOT_METADATA}
        owner = access.get("owner") or payload.get("owner_username")
        if is_text(owner):
            resource["owner"] = self._names.local_name(owner)
        thing = f"resource {printable(self._org)}/{printable(resource['slug'])}"
        if reason := _lock_reason(item.get("lock_payload")):
            resource["lock"] = {"reason": reason}
        resource["grants"] = self._translate_grants(thing, access, has_data=kind == DATASET)
        self.translation.add("resource", resource)

    def _has_type(self, name: str) -> bool:
        return any(each["name"] == name for each in self.translation.sections["resourceTypes"])

    def _translate_grants(self, thing: str, access: Doc, *, has_data: bool) -> Doc:
        if not access:
            self.translation.leave_out(
                thing, "They are missing, so nobody but its owner has access.", "access settings"
            )
        groups: list[Doc] = []
        for name, roles in _object(access.get("groups")).items():
            group = self._group_slugs.get(name) or slug(name) or name
            if name not in self._group_slugs and group in self._group_slugs.values():
                self.translation.leave_out(thing, "Another group has its slug here.", f"group {printable(name)}")
            elif self.translation.is_first(f"grant to group {printable(group)} on {thing}", "grant", thing, group):
                groups.append({"group": group, "roles": self._translate_roles(thing, roles, has_data=has_data)})
        return {
            "general": {"roles": self._translate_roles(thing, access.get("general"), has_data=has_data)},
            "groups": groups,
        }

    def _translate_roles(self, thing: str, names: Any, *, has_data: bool) -> list[str]:
        """Return roles under their names here, without those that are unknown or that the type does not have."""
        mask = 0
        for name in names if isinstance(names, list) else ():
            role = ROLES.get(name) if isinstance(name, str) else None
            if role is None or (not has_data and not ROLE_BITS[role] & resource_roles.NON_DATA):
                reason = "There is no such role." if role is None else "Items of this type have no such role."
                self.translation.leave_out(thing, reason, f"role {printable(str(name))}")
            else:
                mask |= ROLE_BITS[role]
        return resource_roles.names(mask)


def _access_settings(item: Doc) -> Doc:
    return _object(_object(item.get("auth_payload")).get("access_settings"))


def _lock_reason(payload: Any) -> str:
    """Return the reason of the lock of an item, an empty text if it is not locked."""
    lock = _object(_object(payload).get("lock_information"))
    if lock.get("locked") is not True:
        return ""
    reasons = (
        text_or_empty(event.get("reason")) for event in reversed(_objects(lock.get("history"))) if _is_lock_event(event)
    )
    return next(reasons, "").strip()[: validation.MAX_REASON].strip() or UNKNOWN_REASON


def _is_lock_event(event: Doc) -> bool:
    return event.get("action_type") == "LOCK"


def _user_fields(person: Doc) -> Doc:
    """Return the fields of a user that an entry of a group tells."""
    names = " ".join(text_or_empty(person.get(part)) for part in ("first_name", "last_name"))
    fields = {"displayName": title(names, ""), "email": text_or_empty(person.get("email"))}
    return {name: value for name, value in fields.items() if value}


def _object(value: Any) -> Doc:
    return value if isinstance(value, dict) else {}


def _objects(value: Any) -> list[Doc]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
