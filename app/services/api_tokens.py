"""API tokens: creating and revoking them, limiting their scope, and recording their last use."""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, bindparam, delete, func, insert, or_, select, update

from app import policy
from app.db import Database, Transaction, UniqueViolation
from app.db.tables import ApiToken, ApiTokenOrg, ApiTokenResource, RowId, User, col, sort_key
from app.domain.errors import Conflict, InvalidInput, NotFound, Problem
from app.domain.refs import RowRef
from app.domain.viewer import LIMITED_TOKEN_PERMISSIONS, Permission, Viewer
from app.observability import request_stats
from app.security import api_token_format
from app.services import audit, orgs, ownership, resources, users, validation

log = logging.getLogger(__name__)

MAX_TOKENS = 100
"""Tokens of one user."""

MAX_TARGETS = 100
"""Orgs, and resources, in the scope of one token."""

RECORD_INTERVAL = timedelta(minutes=1)
"""The shortest time between two records of a token's use."""


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token to create. `user` is a service account, or None for the viewer.

    `orgs` and `resources` limit the token's scope; None is no limit. Without `expires_at` it lasts as long as allowed.
    """

    name: str
    permissions: Permission = Permission.NONE
    user: RowRef | None = None
    orgs: Sequence[RowRef] | None = None
    resources: Sequence[RowRef] | None = None
    expires_at: datetime | None = None

    @property
    def is_limited(self) -> bool:
        """Return whether the token is limited to some orgs or resources."""
        return self.orgs is not None or self.resources is not None


async def create_api_token(
    tx: Transaction, viewer: Viewer, new: NewToken, max_lifetime: timedelta | None
) -> tuple[int, str]:
    """Create a token for the viewer or a service account; return its id and its text.

    The token carries no permission that the viewer does not hold. `max_lifetime` is None for unlimited tokens.
    """
    viewer_id = policy.require_session(viewer)
    is_own = new.user is None or await users.is_viewer(tx, viewer, new.user)
    user_id = viewer_id if new.user is None or is_own else await _load_service_account(tx, viewer, new.user)
    policy.require_equal_rights(viewer, new.permissions, "This token")
    expires_at = new.expires_at or (None if max_lifetime is None else tx.now + max_lifetime)
    name = new.name.strip()
    validation.raise_problems([*validation.title_problems(name), *_problems(tx, new, max_lifetime)])
    org_ids, resource_ids = await _load_orgs(tx, viewer, new), await _load_resources(tx, viewer, new)
    await _require_room(tx, user_id)
    token = api_token_format.generate()
    values = {
        "user_id": user_id,
        "name": name,
        "name_key": sort_key(name),
        "prefix": api_token_format.prefix(token),
        "hash": api_token_format.digest(token),
        "permissions": new.permissions.value,
        "is_limited": new.is_limited,
        "created_at": tx.now,
        "expires_at": expires_at,
    }
    try:
        token_id = int(await tx.value(insert(ApiToken).values(**values).returning(col(ApiToken.id))))
        await tx.insert(ApiTokenOrg, [{"token_id": token_id, "org_id": org} for org in org_ids])
        await tx.insert(ApiTokenResource, [{"token_id": token_id, "resource_id": key} for key in resource_ids])
    except UniqueViolation:
        raise Conflict(f"This user already has a token `{name}`. Choose another name.", ("name",)) from None
    audit.track_new(tx, audit.API_TOKEN, [token_id])
    return token_id, token


async def _load_service_account(tx: Transaction, viewer: Viewer, user: RowRef) -> int:
    """Return the id of a service account that holds no permission beyond the viewer's."""
    key = await ownership.require_no_impersonation(tx, viewer, user)
    if not await users.is_service_account(tx, key):
        raise InvalidInput("`user` must be a service account. Other users create their own tokens.", ("user",))
    return key


def _problems(tx: Transaction, new: NewToken, max_lifetime: timedelta | None) -> Iterable[Problem]:
    yield from validation.end_problems(new.expires_at, tx.now)
    if max_lifetime is not None and new.expires_at is not None and new.expires_at > tx.now + max_lifetime:
        yield InvalidInput(f"`expiresAt` must be at most {max_lifetime.days:,} days from now.", ("expiresAt",))
    if new.is_limited and new.permissions & ~LIMITED_TOKEN_PERMISSIONS:
        yield InvalidInput(
            f"A token limited to orgs or resources can have only these permissions: {_LIMITED}.", ("permissions",)
        )
    for field_name, targets in (("orgs", new.orgs), ("resources", new.resources)):
        if targets is not None and len(targets) > MAX_TARGETS:
            yield InvalidInput(f"`{field_name}` must have at most {MAX_TARGETS} items.", (field_name,))


_LIMITED = ", ".join(str(each.name) for each in LIMITED_TOKEN_PERMISSIONS)


async def _load_orgs(tx: Transaction, viewer: Viewer, new: NewToken) -> set[int]:
    """Return the ids of the token's orgs; raise NotFound for one that the viewer does not see."""
    org_ids = set()
    for at, org in enumerate(new.orgs or ()):
        try:
            org_ids.add((await orgs.load_for_update(tx, viewer, org, policy.sees_org)).id)
        except NotFound as problem:
            raise NotFound(problem.message, ("orgs", at)) from None
    return org_ids


async def _load_resources(tx: Transaction, viewer: Viewer, new: NewToken) -> set[int]:
    resource_ids = set()
    for at, resource in enumerate(new.resources or ()):
        resource_ids.add((await resources.load_for_update(tx, viewer, resource, ("resources", at))).id)
    return resource_ids


async def _require_room(tx: Transaction, user_id: int) -> None:
    """Raise Conflict if the user has the maximum of tokens. The row lock makes concurrent requests count one by one."""
    await tx.rows(select(col(User.id)).where(col(User.id) == user_id).with_for_update(key_share=True))
    if await tx.value(select(func.count()).select_from(ApiToken).where(col(ApiToken.user_id) == user_id)) >= MAX_TOKENS:
        raise Conflict(f"This user already has {MAX_TOKENS} tokens, the maximum. Revoke one first.")


async def revoke_api_token(tx: Transaction, viewer: Viewer, key: int) -> int:
    """Revoke a token of the viewer, even the one in use, or of a user whom the viewer manages; return its id."""
    viewer_id = policy.require_signed_in(viewer)
    user_id = await tx.value(_OWNER, key=key)
    if user_id != viewer_id:
        policy.require(viewer, Permission.USERS_MANAGE)
    if user_id is None:
        raise NotFound("There is no such token.", ("apiToken",))
    if user_id != viewer_id:
        await users.load_managed(tx, viewer, ("id", user_id))
    elif key != viewer.token_id:
        policy.require_session(viewer)
    await audit.track(tx, audit.API_TOKEN, [key])
    await tx.rows(delete(ApiToken).where(col(ApiToken.id) == key))
    return key


_OWNER = select(col(ApiToken.user_id)).where(col(ApiToken.id) == bindparam("key", type_=RowId()))


def _is_recent(recorded_at: datetime | None, now: datetime) -> bool:
    """Return whether a use was recorded within RECORD_INTERVAL. One of the future, before a clock was set, is not."""
    return recorded_at is not None and timedelta(0) <= now - recorded_at < RECORD_INTERVAL


@dataclass(slots=True)
class LastUsedRecorder:
    """Records when tokens were last used, in tasks of its own, so that no read waits for the writer.

    `_recorded` has the time of the last record of each token, the oldest one first.
    """

    database: Database
    _recorded: dict[int, datetime] = field(default_factory=dict)
    _writing: set[asyncio.Task[None]] = field(default_factory=set)

    def note(self, token: int) -> None:
        """Start to record a use, unless this worker has done so within RECORD_INTERVAL."""
        now = self.database.clock()
        if _is_recent(self._recorded.get(token), now):
            return
        self._recorded.pop(token, None)
        while self._recorded and not _is_recent(self._recorded[oldest := next(iter(self._recorded))], now):
            del self._recorded[oldest]
        self._recorded[token] = now
        task = asyncio.create_task(self._write(token, now))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    async def flush(self) -> None:
        """Wait until all uses are recorded."""
        await asyncio.gather(*self._writing)

    async def _write(self, token: int, now: datetime) -> None:
        request_stats.CURRENT.set(None)  # these statements do not count for the request
        try:
            async with self.database.write() as tx:
                await tx.rows(update(ApiToken).where(_is_due(token, now)).values(last_used_at=now))
        except Exception as error:  # no caller awaits this task, so any error is only logged
            log.warning("the use of an API token was not recorded: %s", str(error) or type(error).__name__)


def _is_due(token: int, now: datetime) -> ColumnElement[bool]:
    """Return the condition that no worker has recorded a use of the token within RECORD_INTERVAL."""
    last = col(ApiToken.last_used_at)
    return (col(ApiToken.id) == token) & or_(last.is_(None), last <= now - RECORD_INTERVAL)
