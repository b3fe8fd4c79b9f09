"""A world of plain users, and hidden facts that change in it: whatever they ask, the answers stay as they were."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import func, insert, literal, select, text, update

from app import db
from app.db import tables
from app.db.tables import col
from app.domain import refs, resource_roles
from app.domain.resource_roles import MemberLevel
from app.domain.viewer import Permission
from app.query.relations import among, integers
from app.services import access_index
from tests.oracle.access_worlds import NOW
from tests.support.factories import Entity, Make, Person

PART = "quokka"
"""A part of every word that no plain user may read."""

EMAIL = f"{PART}{{}}@x.example"
"""The e-mail address of a user, as far as they have one. They lose it as one of the facts."""

LATER = NOW + timedelta(days=400)


@dataclass(frozen=True)
class Town:
    """Users and things by name.

    `alice` owns a resource on which a group with hidden members has an entry, `abel` one on which none has; `gwen`
    holds ADMIN on a resource by a grant.
    """

    people: Mapping[str, Person]
    things: Mapping[str, Entity]

    def __getitem__(self, name: str) -> Any:
        return self.people.get(name) or self.things[name]


async def build(make: Make) -> Town:
    """Make the world as it is before any of the hidden facts."""
    plain = ["alice", "abel", "gwen", "dora", "otto", "fay", "erin"]
    people = {
        name: await make.user(name, "user", email=EMAIL.format(name) if name == "dora" else None) for name in plain
    }
    for name in ("bob", "carol", "dan", "zed"):
        details = {"email": EMAIL.format(name), "details": {"k": f"{PART}{name}"}}
        people[name] = await make.user(f"{PART}{name}", "user", **details)
    people["root"] = await make.admin(f"{PART}root")
    await make.role("registrars", Permission.RESOURCES_MANAGE)
    groups = await _groups(make, people)
    things = groups | await _places(make, people)
    await _grants(make, people, things)
    return Town(people, things)


async def _groups(make: Make, people: Mapping[str, Person]) -> dict[str, Entity]:
    """One whose members are hidden, one whose members everybody sees, and one that alice manages."""
    divers = await make.group("divers", people["erin"], people["zed"], people["dan"])
    choir = await make.group("choir", people["fay"], members_seen_by="SIGNED_IN")
    band = await make.group("band", people["dora"])
    await make.group_member(band, people["alice"], is_manager=True)
    return {"divers": divers, "choir": choir, "band": band}


async def _places(make: Make, people: Mapping[str, Person]) -> dict[str, Entity]:
    """The private orgs of two, a public one, and a private one to which none of the plain users belongs."""
    shed = await make.org("shed", people["abel"])
    atelier, agora = await make.org("atelier", people["alice"]), await make.org("agora", people["otto"], is_public=True)
    vault = await make.org(f"{PART}vault", people["erin"], name=f"{PART}vault")
    await make.member(vault, people["carol"], MemberLevel.READ_WRITE)
    await make.member(agora, people["zed"], MemberLevel.READ_ONLY)
    return {
        "atelier": atelier,
        "agora": agora,
        "vault": vault,
        "shed": shed,
        "calm": await make.resource(shed, owner=people["abel"], slug="calm", general=resource_roles.METADATA_READ),
        "work": await make.resource(atelier, owner=people["alice"], slug="work"),
        "play": await make.resource(agora, owner=people["otto"], slug="play"),
        "gem": await make.resource(vault, owner=people["erin"], slug="gem", general=0),
        "dark": await make.resource(vault, owner=people["erin"], slug="dark", name=f"{PART}dark", general=0),
    }


async def _grants(make: Make, people: Mapping[str, Person], things: Mapping[str, Entity]) -> None:
    work, gem = things["work"], things["gem"]
    for thing, to, mask in (
        (work, things["divers"], resource_roles.DATA_READ),
        (work, things["choir"], resource_roles.METADATA_WRITE),
        (work, things["band"], 0),
        (work, people["dora"], resource_roles.DATA_WRITE),
        (gem, people["gwen"], resource_roles.ADMIN),
        (gem, things["divers"], resource_roles.METADATA_READ),
        (things["dark"], things["divers"], resource_roles.ADMIN),
    ):
        await make.grant(thing, to, mask)
    await make.locked(work, people["alice"])


Fact = Callable[[db.Transaction, Town], Awaitable[None]]


async def _is_in_a_group(tx: db.Transaction, town: Town) -> None:
    """Not how many belong to it, which everybody sees."""
    member = tables.GroupMember
    is_zed = col(member.group_id) == town["divers"].id, col(member.user_id) == town["zed"].id
    await tx.rows(update(member).where(*is_zed).values(user_id=town["bob"].id))


async def _manages_a_group(tx: db.Transaction, town: Town) -> None:
    member = tables.GroupMember
    is_erin = col(member.group_id) == town["divers"].id, col(member.user_id) == town["erin"].id
    await tx.rows(update(member).where(*is_erin).values(is_manager=True, expires_at=LATER))


async def _added_a_member(tx: db.Transaction, town: Town) -> None:
    member, carol = tables.GroupMember, town["carol"]
    added = {"added_by": carol.id, "added_by_name": carol.user_name}
    await tx.rows(update(member).where(col(member.group_id) != town["band"].id).values(**added))


async def _is_deactivated(tx: db.Transaction, town: Town) -> None:
    await _give_role(tx, town["dan"], "deactivated")


async def _administers_the_registry(tx: db.Transaction, town: Town) -> None:
    await _give_role(tx, town["carol"], "registrars")


async def _give_role(tx: db.Transaction, person: Person, role: str) -> None:
    rows = select(literal(person.id), col(tables.Role.id)).where(col(tables.Role.name_key) == role)
    await tx.rows(insert(tables.UserRole).from_select(["user_id", "role_id"], rows))


async def _belongs_to_orgs(tx: db.Transaction, town: Town) -> None:
    row = {"user_id": town["bob"].id, "level": int(MemberLevel.ADMIN), "granted_at": NOW}
    await tx.insert(tables.OrgMember, [{**row, "org_id": town[name].id} for name in ("vault", "agora")])


async def _the_private_org_has_another_name(tx: db.Transaction, town: Town) -> None:
    org, thing = tables.Org, tables.Resource
    named = {"slug": f"{PART}cellar", "name": f"{PART}Cellar", "name_key": f"{PART}cellar"}
    await tx.rows(update(org).where(col(org.id) == town["vault"].id).values(**named))
    moved = func.replace(col(thing.path), f"{PART}vault", f"{PART}cellar")
    await tx.rows(update(thing).where(col(thing.org_id) == town["vault"].id).values(path=moved))


async def _there_is_another_private_org(tx: db.Transaction, town: Town) -> None:
    titled = {"name": f"{PART}new", "name_key": f"{PART}new", "description": "", "created_at": NOW}
    org = {**titled, "id": 900, "slug": f"{PART}new", "owner_id": town["bob"].id, "is_public": False}
    await tx.insert(tables.Org, [org])
    rest = {
        "slug": "new",
        "path": f"{PART}new/new",
        "details": {},
        "size_bytes": 3,
        "revision": 1,
        "updated_at": NOW,
    }
    full = {"type_id": 1, "full_mask": resource_roles.ALL, "owner_id": town["bob"].id}
    await tx.insert(tables.Resource, [{**titled, **rest, **full, "id": 900, "org_id": 900}])


async def _is_a_new_user(tx: db.Transaction, town: Town) -> None:
    name = f"{PART}newcomer"
    row = {"id": 900, "user_name": name, "user_key": name, "token_generation": 0, "details": {}, "created_at": NOW}
    await tx.insert(tables.User, [row])


async def _has_other_details(tx: db.Transaction, town: Town) -> None:
    """Of a stranger, and of a member of a group and of a configuration that the asker may manage."""
    user = tables.User
    details = {"email": None, "email_key": None, "details": {"k": 2}, "last_login_at": NOW}
    await tx.rows(
        update(user).where(among(col(user.id), integers([town["bob"].id, town["dora"].id]))).values(**details)
    )


async def _a_hidden_thing_is_locked(tx: db.Transaction, town: Town) -> None:
    carol = town["carol"]
    row = {"resource_id": town["dark"].id, "user_id": carol.id, "user_name": carol.user_name, "reason": PART}
    await tx.insert(tables.Lock, [{**row, "created_at": NOW}])
    await tx.insert(tables.LockEvent, [{**row, "created_at": NOW, "is_lock": True}])


async def _holds_a_grant(tx: db.Transaction, town: Town) -> None:
    """On things whose configuration is hidden."""
    entry = {"group_id": None, "mask": resource_roles.DATA_WRITE, "expires_at": None, "user_id": town["carol"].id}
    subject = resource_roles.subject_id(resource_roles.SubjectType.USER, town["carol"].id)
    rows = [{**entry, "subject": subject, "resource_id": town[name].id} for name in ("play", "dark")]
    await tx.insert(tables.Grant, rows)


async def _stores_more(tx: db.Transaction, town: Town) -> None:
    org = tables.Org
    await tx.rows(update(org).where(col(org.id) == town["vault"].id).values(size_bytes=77))
    row = {"key": "quokka7890123456789012345678901234"[:32], "resource_id": town["play"].id, "org_id": town["agora"].id}
    row |= {"user_id": town["carol"].id, "is_upload": True, "bytes": 5, "stage": 0, "created_at": NOW}
    await tx.insert(tables.Ticket, [{**row, "expires_at": LATER}])


async def _did_something(tx: db.Transaction, town: Town) -> None:
    by = {"actor_id": town["carol"].id, "actor_name": town["carol"].user_name, "actor_key": town["carol"].user_name}
    if tx._database.dialect.name == "postgresql":
        await tx.rows(text("SELECT setval('audit_events_id_seq', 900)"))  # a number that was taken
    await tx.insert(tables.AuditEvent, [{"id": 900, "at": NOW, **by, "face": "REST", "action": "addGroupMembers"}])
    change = {"event_id": 900, "at": NOW, "before": None, "after": {"members": {PART: {}}}}
    about = [town[name] for name in ("divers", "vault", "dark", "bob")]
    rows = [_named(each) for each in about]
    await tx.insert(tables.AuditChange, [{**change, **each} for each in rows])


def _named(each: Person | Entity) -> dict[str, Any]:
    ref = refs.decode(each.node)
    assert ref is not None
    return {"kind": ref[0], "key": ref[1], "subject": each.node, "name": PART}


FACTS: Mapping[str, Fact] = {
    "bob, and not zed, is in a group": _is_in_a_group,
    "erin manages a group until a day": _manages_a_group,
    "carol added the members of groups": _added_a_member,
    "dan is deactivated": _is_deactivated,
    "carol administers the registry": _administers_the_registry,
    "bob belongs to orgs": _belongs_to_orgs,
    "a private org has another name": _the_private_org_has_another_name,
    "there is another private org with a resource": _there_is_another_private_org,
    "there is another user": _is_a_new_user,
    "bob has other details": _has_other_details,
    "a hidden resource is locked": _a_hidden_thing_is_locked,
    "carol holds a grant": _holds_a_grant,
    "more is stored": _stores_more,
    "something was done": _did_something,
}
"""Facts that no plain user may learn, with the exceptions in `EXCEPTIONS`."""

EXCEPTIONS: Mapping[str, frozenset[str]] = {
    "abel": frozenset({"dan is deactivated", "there is another user"}),
}
"""Facts that a plain user may learn: with ADMIN on a resource, its access subjects are visible."""


async def happen(database: db.Database, town: Town, *facts: Fact) -> None:
    """Let hidden facts be so."""
    async with database.write() as tx:
        for fact in facts:
            await fact(tx, town)
        await access_index.rebuild(tx)
