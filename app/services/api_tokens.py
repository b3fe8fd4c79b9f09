"""API tokens: making and revoking them, what they are good for, and when they were last used."""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, bindparam, delete, func, insert, or_, select, update

from app import policy
from app.db import Database, ForeignKeyViolation, Transaction, UniqueViolation
from app.db.tables import ApiToken, ApiTokenOrg, ApiTokenResource, RowId, User, col, sort_key
from app.domain.errors import Conflict, InvalidInput, NotFound, Problem
from app.domain.refs import RowRef
from app.domain.viewer import SCOPED_PERMISSIONS, Permission, Viewer
from app.observability import request_stats
from app.security import api_token_format
from app.services import audit, orgs, ownership, resources, users, validation

log = logging.getLogger(__name__)

MAX_TOKENS = 100
"""How many tokens a user has at most."""

MAX_TARGETS = 100
"""How many orgs, and how many resources, a token is limited to at most."""

RECORD_INTERVAL = timedelta(minutes=1)
"""How often it is written down that a token was used."""


@dataclass(frozen=True, slots=True)
class NewToken:
    """What a token is made of: `user` is a service account, None the viewer; None of `orgs` and `resources` limits it.

    Without an end it lasts as long as it may.
    """

    name: str
    permissions: Permission = Permission.NONE
    user: RowRef | None = None
    orgs: Sequence[RowRef] | None = None
    resources: Sequence[RowRef] | None = None
    expires_at: datetime | None = None

    @property
    def is_limited(self) -> bool:
        """Whether it is good for some orgs and resources alone."""
        return self.orgs is not None or self.resources is not None


async def create_api_token(
    tx: Transaction, viewer: Viewer, new: NewToken, longest: timedelta | None
) -> tuple[int, str]:
    """Make a token for the viewer or a service account, that carries no more than the viewer holds: its id, and it.

    `longest` is how long it may last, None for any time.
    """
    own = policy.require_session(viewer)
    is_own = new.user is None or await users.is_viewer(tx, viewer, new.user)
    user_id = own if new.user is None or is_own else await _account(tx, viewer, new.user)
    policy.require_equal_rights(viewer, new.permissions, "This token")
    expires_at = new.expires_at or (None if longest is None else tx.now + longest)
    name = new.name.strip()
    validation.raise_problems([*validation.title_problems(name), *_problems(tx, new, longest)])
    of_orgs, of_resources = await _load_orgs(tx, viewer, new), await _load_resources(tx, viewer, new)
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
        key = int(await tx.value(insert(ApiToken).values(**values).returning(col(ApiToken.id))))
        await tx.insert(ApiTokenOrg, [{"token_id": key, "org_id": org} for org in of_orgs])
        await tx.insert(ApiTokenResource, [{"token_id": key, "resource_id": resource} for resource in of_resources])
    except UniqueViolation:
        raise Conflict(f"There is a token `{name}` already.", ("name",)) from None
    except ForeignKeyViolation:
        raise Conflict("Something that the token is for was deleted at this moment. Try again.") from None
    audit.track_new(tx, audit.API_TOKEN, [key])
    return key, token


async def _account(tx: Transaction, viewer: Viewer, user: RowRef) -> int:
    """The id of a service account that holds no more than the viewer: people make their own tokens."""
    key = await ownership.require_no_impersonation(tx, viewer, user)
    if not await users.is_service_account(tx, key):
        raise InvalidInput("This is no service account: people make their tokens themselves.", ("user",))
    return key


def _problems(tx: Transaction, new: NewToken, longest: timedelta | None) -> Iterable[Problem]:
    yield from validation.end_problems(new.expires_at, tx.now)
    if longest is not None and new.expires_at is not None and new.expires_at > tx.now + longest:
        yield InvalidInput(f"A token lasts at most {longest.days:,} days.", ("expiresAt",))
    if new.is_limited and new.permissions & ~SCOPED_PERMISSIONS:
        yield InvalidInput(
            f"A token that is limited to orgs or resources carries none but {_SCOPED}.",
            ("permissions",),
        )
    for path, things in (("orgs", new.orgs), ("resources", new.resources)):
        if things is not None and len(things) > MAX_TARGETS:
            yield InvalidInput(f"A token is limited to at most {MAX_TARGETS} of these.", (path,))


_SCOPED = ", ".join(str(each.name) for each in SCOPED_PERMISSIONS)


async def _load_orgs(tx: Transaction, viewer: Viewer, new: NewToken) -> set[int]:
    """The orgs that are named; raises NotFound for one that the viewer does not see."""
    found = set()
    for at, org in enumerate(new.orgs or ()):
        try:
            found.add((await orgs.load_for_update(tx, viewer, org, policy.sees_org)).id)
        except NotFound as problem:
            raise NotFound(problem.message, ("orgs", at)) from None
    return found


async def _load_resources(tx: Transaction, viewer: Viewer, new: NewToken) -> set[int]:
    found = set()
    for at, resource in enumerate(new.resources or ()):
        found.add((await resources.load_for_update(tx, viewer, resource, ("resources", at))).id)
    return found


async def _require_room(tx: Transaction, user_id: int) -> None:
    """Raises Conflict for one token too many. Her row is held, so that two at once are counted one after the other."""
    await tx.rows(select(col(User.id)).where(col(User.id) == user_id).with_for_update(key_share=True))
    if await tx.value(select(func.count()).select_from(ApiToken).where(col(ApiToken.user_id) == user_id)) >= MAX_TOKENS:
        raise Conflict(f"There are {MAX_TOKENS} tokens already: revoke one first.")


async def revoke_api_token(tx: Transaction, viewer: Viewer, key: int) -> int:
    """End a token of the viewer's, or of a user whom she manages, at once; a token can end itself. Answers its id."""
    own = policy.require_signed_in(viewer)
    user_id = await tx.value(_OWNER, key=key)
    if user_id != own:
        policy.require(viewer, Permission.USERS_MANAGE)
    if user_id is None:
        raise NotFound("There is no such token.", ("apiToken",))
    if user_id != own:
        await users.load_managed(tx, viewer, ("id", user_id))
    elif key != viewer.token_id:
        policy.require_session(viewer)
    await audit.track(tx, audit.API_TOKEN, [key])
    await tx.rows(delete(ApiToken).where(col(ApiToken.id) == key))
    return key


_OWNER = select(col(ApiToken.user_id)).where(col(ApiToken.id) == bindparam("key", type_=RowId()))


@dataclass(slots=True)
class LastUsedRecorder:
    """Writes down that tokens are used, apart from the requests: a question does not wait for a writer."""

    database: Database
    _recorded: dict[int, datetime] = field(default_factory=dict)
    _writing: set[asyncio.Task[None]] = field(default_factory=set)

    def note(self, token: int) -> None:
        """Write it down, unless this worker has just done so."""
        now = self.database.clock()
        if timedelta(0) <= now - self._recorded.get(token, now - RECORD_INTERVAL) < RECORD_INTERVAL:
            return
        self._recorded = {key: at for key, at in self._recorded.items() if now - at < RECORD_INTERVAL} | {token: now}
        task = asyncio.create_task(self._write(token, now))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    async def flush(self) -> None:
        """Wait until all is written."""
        await asyncio.gather(*self._writing)

    async def _write(self, token: int, now: datetime) -> None:
        request_stats.CURRENT.set(None)  # it is not the request that asks
        try:
            async with self.database.write() as tx:
                await tx.rows(update(ApiToken).where(_is_due(token, now)).values(last_used_at=now))
        except Exception as error:  # whatever it is, nobody waits for it
            log.warning("the use of an API token was not written down: %s", str(error) or type(error).__name__)


def _is_due(token: int, now: datetime) -> ColumnElement[bool]:
    """Another worker may have written a moment ago."""
    last = col(ApiToken.last_used_at)
    return (col(ApiToken.id) == token) & or_(last.is_(None), last <= now - RECORD_INTERVAL)
