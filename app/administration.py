"""The context of the services, and the tasks of the command line, each of which opens and closes one.

The APIs are not imported here, so that a command starts in half the time of a server.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import inf
from pathlib import Path
from typing import Any, TypeVar

import orjson

from app import db
from app.config import Settings, secret
from app.db import migrations
from app.db.backups import Report
from app.domain.errors import OstiaryError
from app.domain.request_origin import COMMAND, current_origin
from app.security import keys, passwords, tickets
from app.security.input_digest import InputDigest
from app.security.passwords import PasswordHasher
from app.security.seal_key import SealKey
from app.security.session_tokens import TokenSigner
from app.services import (
    access_index_rebuild,
    api_tokens,
    bootstrap,
    copying,
    demo,
    doctor,
    explanations,
    quotas,
    secret_warnings,
    session_revocation,
    user_commands,
)
from app.services.anonymous_reads import AnonymousReads
from app.services.app_context import AppContext
from app.services.audit import forgetting, pruning, reading, verification
from app.services.backups import making, restoring
from app.services.identity_provider import IdentityProvider
from app.services.imports import fitting
from app.services.imports.fitting import Fit
from app.services.imports.translation import Translation
from app.services.login_throttle import LoginThrottle
from app.services.signing_keys import KeyInfo, KeyStore, list_keys, rotate
from app.services.state import applying, file_writer, files
from app.services.state.changes import Plan
from app.services.state.model import State
from app.services.user_commands import NewUser
from app.services.user_deletion import DeletedUser

Result = TypeVar("Result")

FIRST_STEP = "0001"
"""The first migration, which runs on a new database only."""

HASHING_QUEUE = 1_024
"""Most requests that may wait for the hashing of a password."""


async def open_context(
    settings: Settings, *, longest: float = inf, inspected_with: bytes | None = None, traced: bool = False
) -> AppContext:
    """Open the database and build the context; `inspected_with` a secret, it changes nothing and makes no key."""
    url, size, is_inspection = settings.database_url, settings.database_pool_size, inspected_with is not None
    replicas = () if is_inspection else settings.database_replicas
    database = await db.open_database(url, size=size, longest=longest, read_only=is_inspection, replicas=replicas)
    database = db.TracedDatabase(database) if traced else database
    if inspected_with is None and secret_warnings.lacks_secret(settings):
        await secret_warnings.warn_of_new_secret(database, settings.secret_path)
    key = secret(settings) if inspected_with is None else inspected_with
    signer = TokenSigner(key, timedelta(days=settings.token_expiration_in_days), settings.revoked_tokens)
    key_store = KeyStore(database, signer, keys.KeyCipher(key), signing_key=settings.signs_with_keys)
    if inspected_with is None:
        await key_store.open()
    hasher = PasswordHasher(settings.hashing_threads, HASHING_QUEUE)
    lifetime = timedelta(minutes=settings.ticket_expiration_in_minutes)
    provider = IdentityProvider(settings.external_auth_url) if settings.external_auth_url else None
    return AppContext(
        database,
        hasher,
        signer,
        key_store,
        settings.password_policy,
        tickets.TicketSigner(key),
        quotas.StoragePolicy(
            settings.enable_storage_limiter, lifetime, quotas.bytes_of_megabytes(settings.default_org_storage_mb)
        ),
        LoginThrottle(settings.throttle, key),
        api_tokens.LastUsedRecorder(database),
        settings.api_token_lifetime,
        provider=provider,
        has_personal_orgs=settings.makes_personal_orgs,
        group_contact=settings.group_contact,
        input_digest=InputDigest(key),
        seal_key=SealKey(key),
        # Half of the connections. SQLite has none to share, and its slow reads have threads of their own.
        anonymous_reads=AnonymousReads(size // 2, settings.query_seconds),
    )


async def close_context(app: AppContext) -> None:
    """Write what is not written yet, and close what the context has opened."""
    await app.last_used.flush()
    await app.throttle.flush()
    app.hasher.close()
    if app.provider is not None:
        await app.provider.close()
    await app.database.close()


@dataclass(frozen=True, slots=True)
class Prepared:
    """Result of `prepare`: the migrations that ran, and whether an account still has a well-known password.

    `first_password` is the random password of a new administrator; it is printed once.
    """

    migrated: list[str]
    default_password_valid: bool
    demo_password_valid: bool
    first_password: str | None = None


def prepare(settings: Settings, *, exposed: bool = False, serves: bool = False, migrates: bool = True) -> Prepared:
    """Migrate the database, or only require that its schema is current, and create an administrator, if it has none.

    A server that others can reach (`exposed`) gets no administrator with the default password: a start that `serves`
    creates them with a random password, and other commands create none. With an identity provider, which names
    the administrators itself, none is created.
    """
    has_secret = settings.secret is None and settings.secret_path.exists()
    if migrates:
        migrated = migrations.upgrade(settings.database_url)
    else:
        _require_existing(settings, doctor.find_missing_file)  # missing tables are missing migrations
        migrations.require_current(settings.database_url)
        migrated = []
    if has_secret and migrated and migrated[0] == FIRST_STEP:
        secret_warnings.warn_of_new_database(settings.secret_path)

    async def bootstrap_admin(app: AppContext) -> Prepared:
        if app.provider is not None:  # stored passwords are not used
            return Prepared(migrated, default_password_valid=False, demo_password_valid=False)
        is_open = await bootstrap.is_default_password_valid(app, settings.default_admin)
        first = None
        if not (exposed and is_open):
            await bootstrap.ensure_admin(app, settings.default_admin)
        elif serves and not await bootstrap.is_administered(app):
            first = passwords.generate(settings.password_policy)
            is_created = await bootstrap.ensure_admin(app, settings.default_admin, first)
            is_open, first = False, first if is_created else None
        return Prepared(migrated, is_open, await demo.is_demo_password_valid(app), first)

    return _with_context(settings, bootstrap_admin)


def fill(settings: Settings) -> Sequence[str]:
    """Fill the empty, prepared database with the demo data, and return the lines of its report."""
    return _with_context(settings, demo.fill).report


def tour() -> Sequence[str]:
    """Return the lines that introduce the demo data."""
    return demo.tour_lines()


def reindex(settings: Settings, report: Callable[[int, int], None]) -> access_index_rebuild.RebuildResult:
    """Rebuild the access index. `report` is called with the number of finished resources and of all resources."""
    return _on_existing(settings, lambda app: access_index_rebuild.reindex(app.database, report))


def end_sessions(settings: Settings, *, api_tokens: bool) -> session_revocation.EndedSessions:
    """End every session and ticket; with `api_tokens`, revoke every API token too."""
    return _on_existing(settings, lambda app: session_revocation.end_all(app.database, api_tokens=api_tokens))


def reset_password(settings: Settings, user: str, password: str | None) -> tuple[str, str | None]:
    """Set a user's password, and return their name. Without a `password`, generate one and return it too."""
    generated = passwords.generate(settings.password_policy) if password is None else None
    new = password or generated or ""
    return _on_existing(settings, lambda app: user_commands.reset_password(app, user, new)), generated


def list_users(settings: Settings, **conditions: Any) -> list[dict[str, Any]]:
    """Return users by name, as `user_commands.list_users` does."""
    return _on_existing(settings, lambda app: user_commands.list_users(app.database, **conditions))


def show_user(settings: Settings, user: str) -> dict[str, Any]:
    """Return a user, by name or id."""
    return _on_existing(settings, lambda app: user_commands.show_user(app.database, user))


def create_user(settings: Settings, new: NewUser, *, generates: bool) -> tuple[dict[str, Any], str | None]:
    """Create a user, with a random password if it `generates` one; return the user and that password."""
    generated = passwords.generate(settings.password_policy) if generates else None
    new = new if generated is None else replace(new, password=generated)
    return _on_existing(settings, lambda app: user_commands.create_user(app, new)), generated


def set_user_active(settings: Settings, user: str, *, is_active: bool) -> dict[str, Any]:
    """Deactivate a user, or activate them again, and return them."""
    return _on_existing(settings, lambda app: user_commands.set_active(app, user, is_active=is_active))


def change_user_roles(settings: Settings, user: str, names: Sequence[str], *, removes: bool) -> dict[str, Any]:
    """Add roles to those of a user, or remove them, and return the user."""
    return _on_existing(settings, lambda app: user_commands.change_roles(app, user, names, removes=removes))


def delete_user(settings: Settings, user: str, successor: str | None) -> DeletedUser:
    """Delete a user; the successor, if any, becomes the owner of all they own."""
    return _on_existing(settings, lambda app: user_commands.delete_user(app, user, successor))


def backup(settings: Settings, folder: Path, report: Report) -> making.CreatedBackup:
    """Make a backup of the database and its secret in a folder."""
    _require_existing(settings)
    return making.make(settings, folder, report)


def restore(
    settings: Settings, file: Path, report: Report, *, replace: bool, api_tokens: bool
) -> tuple[restoring.Plan, restoring.Finished, list[str]]:
    """Restore a backup; return its plan with notes, what was done to the data, and the migrations that ran."""
    with restoring.staged(settings, file, replace=replace, report=report) as plan:
        migrated = restoring.migrate(plan)
        finished = _with_context(plan.settings, lambda app: restoring.finish(app, report, api_tokens=api_tokens))
    return plan, finished, migrated


def copy(source: Settings, target: Settings, report: Report) -> copying.CopyResult:
    """Copy the registry of one database into another one; the settings differ only in the database."""
    return copying.run(source, target, report)


def inspect(settings: Settings, workers: int, report: Report) -> list[doctor.Check]:
    """Check the installation, without a change. A failure of the database is the last check."""
    checks = [*doctor.check_settings(settings)]
    if (missing := doctor.find_missing_file(settings)) is not None:
        return [*checks, missing]
    try:
        facts = doctor.read_facts(settings)
        checks += doctor.check_database(settings, facts, workers, report)
        if facts.revision == migrations.HEAD:
            key = doctor.readable_secret(settings)
            checks += asyncio.run(_inspect_registry(settings, key, report))
    except Exception as error:
        if (check := doctor.explain_failure(error)) is None:
            raise
        checks.append(check)
    return checks


async def _inspect_registry(settings: Settings, key: bytes, report: Report) -> list[doctor.Check]:
    app = await open_context(settings, inspected_with=key)
    try:
        return [check async for check in doctor.check_registry(app, settings, report)]
    finally:
        await close_context(app)


def explain(settings: Settings, user: str, resource: str) -> explanations.Explanation:
    """Explain the access of a user to a resource."""
    return _on_existing(settings, lambda app: explanations.explain(app.database, user, resource))


def list_audit(settings: Settings, conditions: dict[str, Any], limit: int) -> list[dict[str, Any]]:
    """Return the newest audit events that match `conditions`, the fields of an EventFilter."""
    wanted = reading.EventFilter(**conditions)
    return _on_existing(settings, lambda app: reading.newest(app.database, wanted, limit))


def export_audit(settings: Settings, file: file_writer.Written, conditions: dict[str, Any], report: Report) -> int:
    """Write the audit events that match `conditions` as JSON Lines, the oldest first, and return their number."""

    async def export(app: AppContext) -> int:
        number = 0
        async for event in reading.stream(app.database, reading.EventFilter(**conditions)):
            file.write(f"{orjson.dumps(event).decode()}\n")
            number += 1
            report("events", number, 0)
        return number

    return _on_existing(settings, export)


def verify_audit(settings: Settings, report: Report, head: str | None) -> verification.Verified:
    """Compare the audit log with its seals. `head` is the hash that an earlier verification has reported."""
    return _on_existing(settings, lambda app: verification.verify(app.database, app.seal_key, report, head))


def prune_audit(settings: Settings, before: datetime, report: Report) -> pruning.Pruned:
    """Remove the audit events before a moment."""
    return _on_existing(settings, lambda app: pruning.prune(app.database, app.seal_key, before, report))


def forget_user(settings: Settings, user: str, report: Report) -> forgetting.Forgotten:
    """Erase a deleted user from the audit log."""
    return _on_existing(settings, lambda app: forgetting.forget(app.database, app.seal_key, user, report))


def signing_keys(settings: Settings) -> tuple[list[KeyInfo], str]:
    """Return the keys that sign session tokens, oldest first, and the id of the key of tickets."""

    async def read(app: AppContext) -> tuple[list[KeyInfo], str]:
        return await list_keys(app.key_store), str(app.tickets.jwk["kid"])

    return _on_existing(settings, read)


def rotate_keys(settings: Settings, *, revoke: bool) -> str:
    """Create a new signing key and return its id; `revoke` the old ones."""
    lifetime = timedelta(days=settings.token_expiration_in_days)
    return _on_existing(settings, lambda app: rotate(app.key_store, lifetime, revoke=revoke))


def export_state(
    settings: Settings, writer: file_writer.ObjectWriter, with_hashes: bool, progress: files.Progress
) -> dict[str, int]:
    """Write the registry, and return the numbers of objects by kind."""
    return _on_existing(settings, lambda app: applying.export(app.database, writer, progress, with_hashes=with_hashes))


def plan_state(settings: Settings, document: State, progress: files.Progress, *, prune: bool) -> Plan:
    """Compare a document with the registry."""
    return _on_existing(settings, lambda app: _plan_state(app, document, progress, prune=prune))


def apply_state(
    settings: Settings, document: State, progress: files.Progress, on_commit: applying.OnCommit, *, prune: bool
) -> tuple[Plan, applying.Applied]:
    """Make the registry equal to a document, unless the plan has faults."""

    async def apply(app: AppContext) -> tuple[Plan, applying.Applied]:
        plan = await _plan_state(app, document, progress, prune=prune)
        return plan, await applying.apply(app.database, plan, progress, on_commit)

    return _on_existing(settings, apply)


async def _plan_state(app: AppContext, document: State, progress: files.Progress, *, prune: bool) -> Plan:
    is_external = app.provider is not None
    return await applying.plan(app.database, document, progress, prune=prune, externally_managed=is_external)


def fit_import(settings: Settings, source: Translation, progress: files.Progress) -> Fit:
    """Compare the translation of another registry with this one, and leave out what does not fit."""
    return _on_existing(settings, lambda app: _fit(app, source, progress))


def apply_import(
    settings: Settings, source: Translation, progress: files.Progress, on_commit: applying.OnCommit
) -> tuple[Fit, applying.Applied]:
    """Make what fits of the translation of another registry."""

    async def apply(app: AppContext) -> tuple[Fit, applying.Applied]:
        fitted = await _fit(app, source, progress)
        return fitted, await applying.apply(app.database, fitted.plan, progress, on_commit)

    return _on_existing(settings, apply)


async def _fit(app: AppContext, source: Translation, progress: files.Progress) -> Fit:
    return await fitting.fit(app.database, source, progress, externally_managed=app.provider is not None)


def _on_existing(settings: Settings, act: Callable[[AppContext], Awaitable[Result]]) -> Result:
    """Run one command on a database that exists, which is migrated first."""
    _require_existing(settings)
    migrations.upgrade(settings.database_url)
    return _with_context(settings, act)


def _require_existing(
    settings: Settings, find: Callable[[Settings], doctor.Check | None] = doctor.find_missing_database
) -> None:
    """Raise OstiaryError without a database of Ostiary. A new one would hide that the settings are wrong."""
    if (missing := find(settings)) is not None:
        raise OstiaryError(f"{missing.text}: {missing.action}")


def _with_context(settings: Settings, act: Callable[[AppContext], Awaitable[Result]]) -> Result:
    """Run one command with its own app context, audited as a command."""

    async def run() -> Result:
        current_origin.set(COMMAND)
        app = await open_context(settings.model_copy(update={"database_replicas": ()}))  # only a server reads there
        try:
            return await act(app)
        finally:
            await close_context(app)

    return asyncio.run(run())
