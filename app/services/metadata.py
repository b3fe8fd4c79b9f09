"""Changes of some members of the metadata of users and resources, as JSON merge patches."""

from collections.abc import Callable, Iterable
from typing import Any

import orjson
from sqlalchemy import bindparam, select

from app.db import Transaction
from app.db.tables import Resource, RowId, User, col
from app.domain import resource_roles
from app.domain.errors import InvalidInput, Problem
from app.domain.refs import RowRef
from app.domain.viewer import Viewer
from app.services import audit, merge_patch, resources, roles, users, validation
from app.services.resources import ResourceUpdate

_OF_USER = select(col(User.details)).where(col(User.id) == bindparam("key", type_=RowId()))
_OF_RESOURCE = select(col(Resource.details)).where(col(Resource.id) == bindparam("key", type_=RowId()))


async def patch_user_metadata(tx: Transaction, viewer: Viewer, user: RowRef, patch: Any) -> int:
    """Merge a patch into a user's metadata, and return the user's id; the result must be valid as new metadata.

    If the patch gives the metadata a list `roles`, it replaces the user's roles too, and missing roles are created.
    """
    key = await users.load_managed(tx, viewer, user)
    metadata, is_changed = _merge(await tx.value(_OF_USER, key=key), patch, validation.metadata_problems)
    gives_roles = "roles" in patch and "roles" in metadata
    if is_changed:
        await tx.update(User, key, {"details": metadata})
    elif not gives_roles:
        audit.discard(tx)
    if gives_roles:
        try:
            await roles.create_missing(tx, metadata["roles"])
            await roles.replace(tx, viewer, key, metadata["roles"])
        except Problem as problem:
            raise problem.under("patch") from None
    return key


async def patch_resource_metadata(tx: Transaction, viewer: Viewer, resource: RowRef, patch: Any) -> int:
    """Merge a patch into the metadata of an unlocked resource, and return its id; needs METADATA_WRITE."""
    target = await resources.require_writable(tx, viewer, resource, resource_roles.METADATA_WRITE)
    await audit.require_current(tx, audit.RESOURCE, target.id)
    metadata, is_changed = _merge(await tx.value(_OF_RESOURCE, key=target.id), patch, validation.document_problems)
    if not is_changed:
        audit.discard(tx)
        return target.id
    return await resources.update_resource(tx, viewer, ("id", target.id), ResourceUpdate(metadata=metadata))


def _merge(metadata: Any, patch: Any, check: Callable[[Any], Iterable[Problem]]) -> tuple[dict[str, Any], bool]:
    """Return the metadata with the patch, and whether that changes them; raise Problems with those of the result."""
    if not isinstance(patch, dict):
        raise InvalidInput("`patch` must be a JSON object.", ("patch",))
    merged = merge_patch.apply(metadata, patch)
    validation.raise_problems([type(each)(each.message, ("patch", *each.path[1:])) for each in check(merged)])
    return merged, orjson.dumps(merged) != orjson.dumps(metadata)
