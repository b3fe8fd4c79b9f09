"""Exports of Provena made by a test: the JSON of its groups and of its registry."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

THEN = 1_700_000_000


def group(key: str, *members: str, **values: Any) -> dict[str, Any]:
    """Return a group of some members, who are user names."""
    users = [
        {"username": name, "email": f"{name}@example.org", "first_name": name.title(), "last_name": "Lee"}
        for name in members
    ]
    return {"id": key, "display_name": f"The {key}", "description": "", "users": users, **values}


def lock(*events: tuple[str, str], locked: bool = True) -> dict[str, Any]:
    """Return the state of a lock with its history: action and reason, the oldest first."""
    history = [
        {"action_type": action, "username": "ann", "email": None, "reason": reason, "timestamp": THEN + at}
        for at, (action, reason) in enumerate(events)
    ]
    return {"lock_information": {"locked": locked, "history": history}}


def item(
    handle: str,
    owner: str,
    general: Sequence[str] = (),
    groups: Mapping[str, Sequence[str]] | None = None,
    *,
    subtype: str = "DATASET",
    lock_payload: dict[str, Any] | None = None,
    **payload: Any,
) -> dict[str, Any]:
    """Return an item of the registry with its three payloads."""
    return {
        "id": handle,
        "item_payload": {
            "id": handle,
            "display_name": f"Item {handle}",
            "item_category": "ENTITY",
            "item_subtype": subtype,
            "owner_username": owner,
            "record_type": "COMPLETE_ITEM",
            "created_timestamp": THEN,
            "history": [{"id": 0, "timestamp": THEN, "reason": "new", "username": owner, "item": {}}],
            **payload,
        },
        "auth_payload": {
            "id": handle,
            "access_settings": {"owner": owner, "general": [*general], "groups": groups or {}},
        },
        "lock_payload": {"id": handle, **(lock_payload or lock(locked=False))},
    }


def write(path: Path, items: Iterable[Any]) -> Path:
    """Write an export with the status that Provena's API adds."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"status": {"success": True, "details": "Exported."}, "items": [*items]}))
    return path
