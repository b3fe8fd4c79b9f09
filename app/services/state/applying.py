"""Making the registry equal to a document: steps in a fixed order, each at most a thousand objects."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from app.db import Database, Transaction, UniqueViolation, at_one_moment
from app.db.tables import casefold_key
from app.domain.errors import OstiaryError, Retry
from app.domain.viewer import SYSTEM
from app.services import audit, members, orgs, retries, roles
from app.services.bulk import OnMissing, user_deletion
from app.services.bulk import groups as bulk_groups
from app.services.bulk import resources as bulk_resources
from app.services.state import accounts, containers, holdings
from app.services.state.changes import Change, Plan
from app.services.state.file_writer import ObjectWriter
from app.services.state.files import Progress, silent
from app.services.state.model import Kind, State
from app.services.state.planning import compare
from app.services.state.registry import RegistryReader, read_state

ACTION = "applyState"
"""The action of every audit event."""

BATCH = 1_000
"""Objects of one step."""

ONE_TRANSACTION = 2_000
"""Changes that are made together in one transaction, so that others see all of them or none."""

Work = Callable[[Transaction, Sequence[Change]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Step:
    """Some changes of one kind that are written together."""

    label: str
    changes: Sequence[Change]
    work: Work


@dataclass(frozen=True, slots=True)
class Applied:
    """Numbers of changes and of transactions."""

    changes: int
    transactions: int


async def export(database: Database, writer: ObjectWriter, progress: Progress, *, with_hashes: bool) -> dict[str, int]:
    """Write the registry at one moment, and return the numbers of objects by kind."""
    counts: dict[str, int] = {}
    async with at_one_moment(database) as reader:
        async for kind, objects in RegistryReader(reader, with_hashes=with_hashes).pages(writer.kinds):
            writer.write(kind, objects)
            counts[kind] = counts.get(kind, 0) + len(objects)
            progress(f"{kind}s", sum(counts.values()))
    writer.end()
    return counts


async def plan(
    database: Database,
    document: State,
    progress: Progress = silent,
    *,
    prune: bool,
    externally_managed: bool = False,
) -> Plan:
    """Compare a document with the registry at one moment."""
    async with at_one_moment(database) as reader:
        current = await read_state(reader, progress)
        now = database.clock()
    return compare(document, current, prune=prune, now=now, externally_managed=externally_managed)


OnCommit = Callable[[int, int], None]
"""Called with the number of changes that are committed, and with that of all."""


async def apply(
    database: Database, changes: Plan, progress: Progress, on_commit: OnCommit = lambda *_: None
) -> Applied:
    """Make all changes of a plan, or none if it has faults.

    Up to ONE_TRANSACTION changes are one transaction with one event. More are one transaction for each step. After an
    interruption a new plan has what is left.
    """
    if changes.faults:
        return Applied(0, 0)
    steps = [*_steps(changes)]
    number = len(changes.changes)
    batches = [steps] if number <= ONE_TRANSACTION and steps else [[step] for step in steps]
    done = 0
    on_commit(done, number)
    for batch in batches:
        try:
            await retries.run(partial(_commit, database, batch))
        except (Retry, UniqueViolation):
            raise OstiaryError("others changed the same objects at the same time. Run it again.") from None
        done += sum(len(step.changes) for step in batch)
        on_commit(done, number)
        progress(batch[-1].label, done)
    return Applied(number, len(batches))


async def _commit(database: Database, steps: Sequence[Step]) -> None:
    async with audit.transaction(database, SYSTEM, ACTION) as tx:
        await tx.lock("admins")
        notes = tx.notes
        for step in steps:
            await step.work(tx, step.changes)
            tx.notes = notes  # a bulk service that changes nothing discards the event of the transaction


def _steps(plan: Plan) -> Iterator[Step]:
    """Yield the steps: what others need comes first, and what is removed is removed last, from the parts on."""
    written = [change for change in plan.changes if change.after is not None]
    unlocked = [change for change in plan.changes_of(Kind.LOCK) if change.after is None and change.item.is_absent]
    new_paths = {change.key[0] for change in written if change.kind is Kind.RESOURCE and change.before is None}
    yield from _batches("addresses", [*_moved_emails(plan)], accounts.clear_emails)
    order: list[tuple[str, Kind, Work]] = [
        ("resource types", Kind.RESOURCE_TYPE, accounts.write_resource_types),
        ("roles", Kind.ROLE, accounts.write_roles),
        ("users", Kind.USER, accounts.write_users),
        ("orgs", Kind.ORG, containers.write_orgs),
        ("members of orgs", Kind.ORG_MEMBER, containers.write_org_members),
        ("groups", Kind.GROUP, containers.write_groups),
        ("members of groups", Kind.GROUP_MEMBER, containers.write_group_members),
    ]
    for label, kind, work in order:
        yield from _batches(label, [each for each in written if each.kind is kind], work)
    yield from _batches("locks", unlocked, holdings.unlock)
    yield from _resource_steps(written, new_paths)
    locks = [each for each in written if each.kind is Kind.LOCK and each.key[0] not in new_paths]
    yield from _batches("locks", locks, holdings.lock)
    yield from _removals(plan)


def _moved_emails(plan: Plan) -> Iterator[Change]:
    """Yield the users whose addresses other users get, and who lose them in another step or batch."""
    users = plan.changes_of(Kind.USER)
    new_emails = {
        casefold_key(change.after["email"]): change.key
        for change in users
        if change.after is not None and "email" in change.fields and change.after["email"]
    }
    for change in users:
        email = None if change.before is None else change.before["email"]
        is_lost = change.after is None or "email" in change.fields
        if email and is_lost and new_emails.get(casefold_key(email), change.key) != change.key:
            yield change


def _resource_steps(written: Sequence[Change], new_paths: set[str]) -> Iterator[Step]:
    """Yield the steps of resources and grants. A new resource is written with its grants and its lock.

    Else it would have the default grants, which may be more, until the next step.
    """
    parts: dict[str, list[Change]] = {}
    for change in written:
        if change.kind in {Kind.GRANT, Kind.LOCK} and change.key[0] in new_paths:
            parts.setdefault(change.key[0], []).append(change)
    created = [each for each in written if each.kind is Kind.RESOURCE and each.before is None]
    batch: list[Change] = []
    for change in created:
        batch += [change, *parts.get(change.key[0], ())]
        if len(batch) >= BATCH:
            yield Step("resources", batch, holdings.create_resources)
            batch = []
    if batch:
        yield Step("resources", batch, holdings.create_resources)
    updated = [each for each in written if each.kind is Kind.RESOURCE and each.before is not None]
    yield from _batches("resources", updated, holdings.update_resources)
    grants = [each for each in written if each.kind is Kind.GRANT and each.key[0] not in new_paths]
    yield from _batches("grants", grants, holdings.write_grants)


def _batches(label: str, changes: Sequence[Change], work: Work) -> Iterator[Step]:
    for at in range(0, len(changes), BATCH):
        yield Step(label, changes[at : at + BATCH], work)


def _removals(plan: Plan) -> Iterator[Step]:
    """Yield the steps of what is removed. What goes with a removed object is no step of its own."""
    gone = {(change.kind, change.key) for change in plan.changes if change.after is None}
    removed = [change for change in plan.changes if change.after is None and not change.item.is_absent]
    alone = [change for change in removed if not _goes_with_another(change, gone)]
    works: dict[Kind, Work] = {
        Kind.GRANT: holdings.remove_grants,
        Kind.GROUP_MEMBER: partial(containers.remove_members, Kind.GROUP, members.GROUPS),
        Kind.ORG_MEMBER: partial(containers.remove_members, Kind.ORG, members.ORGS),
        Kind.RESOURCE: _delete_many(bulk_resources.delete_resources, "path"),
        Kind.GROUP: _delete_many(bulk_groups.delete_groups, "slug"),
        Kind.ORG: _delete_each(orgs.delete_org, "slug"),
        Kind.USER: _delete_many(user_deletion.delete_users, "user_name"),
        Kind.ROLE: _delete_each(roles.delete_role, "name"),
    }
    for kind, work in works.items():
        yield from _batches("removals", [each for each in alone if each.kind is kind], work)


def _goes_with_another(change: Change, gone: set[Any]) -> bool:
    key = change.key
    match change.kind:
        case Kind.GRANT:
            subject, _, name = key[1].partition(":")
            with_subject = subject in {"group", "user"} and (Kind(subject), (name,)) in gone
            return with_subject or (Kind.RESOURCE, key[:1]) in gone
        case Kind.GROUP_MEMBER:
            return (Kind.GROUP, key[:1]) in gone or (Kind.USER, key[1:]) in gone
        case Kind.ORG_MEMBER:
            return (Kind.ORG, key[:1]) in gone or (Kind.USER, key[1:]) in gone
        case Kind.RESOURCE:
            return (Kind.ORG, (key[0].partition("/")[0],)) in gone
        case _:
            return False


def _delete_many(service: Callable[..., Awaitable[object]], by: str) -> Work:
    """Return the work that deletes objects with a bulk service; `by` names their key in references."""

    async def work(tx: Transaction, changes: Sequence[Change]) -> None:
        await service(tx, SYSTEM, [(by, change.key[0]) for change in changes], OnMissing.SKIP)

    return work


def _delete_each(service: Callable[..., Awaitable[object]], by: str) -> Work:
    """Return the work that deletes objects with a service of one; `by` names their key in references."""

    async def work(tx: Transaction, changes: Sequence[Change]) -> None:
        for change in changes:
            await service(tx, SYSTEM, (by, change.key[0]))

    return work
