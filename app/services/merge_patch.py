"""JSON merge patches (RFC 7396)."""

from typing import Any


def apply(target: Any, patch: Any) -> Any:
    """Return the target with the patch: null removes a member, an object is merged, any other value replaces.

    Both arguments stay as they are. Members keep their order, and new ones follow. The depth is not limited, since
    there is no recursion.
    """
    root: dict[str, Any] = {"": target}
    open_merges: list[tuple[dict[str, Any], dict[str, Any]]] = [(root, {"": patch})]
    if patch is None:
        return None
    while open_merges:
        merged, changes = open_merges.pop()
        for name, value in changes.items():
            if value is None:
                merged.pop(name, None)
            elif isinstance(value, dict):
                current = merged.get(name)
                merged[name] = dict(current) if isinstance(current, dict) else {}
                open_merges.append((merged[name], value))
            else:
                merged[name] = value
    return root[""]
