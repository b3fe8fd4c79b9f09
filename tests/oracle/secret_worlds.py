"""A world of which an outsider may know a part, every hidden word in it marked; and the same world without the rest."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, select, update

from app import db
from app.db import tables
from app.db.tables import col
from app.domain import resource_roles
from app.domain.resource_roles import MemberLevel
from app.domain.viewer import Permission
from app.query.relations import among, integers
from app.services import access_index
from tests.oracle.access_worlds import NOW
from tests.support.factories import Entity, Make, Person

PART = "quokka"
"""A part of every secret word, and of no other."""

PAST = NOW - timedelta(hours=1)
WORDS = (
    *(f"{PART}{of}" for of in ("hugo", "hana", "hugomail", "hugometa", "veramail", "verameta", "hush", "hushname")),
    *(f"{PART}{of}" for of in ("hushtext", "dark", "darkname", "darktext", "darkmeta", "gray", "grayname", "why")),
)
"""Names, slugs, titles, descriptions, documents and reasons."""

OF_THE_SIGNED_IN = (f"{PART}crew", f"{PART}crewname", f"{PART}crewtext", f"{PART}role")
"""Words of groups and roles, which signed-in viewers read and anonymous viewers do not."""


@dataclass(frozen=True)
class Secrets:
    """Secrets, and the references with which a viewer could ask for them."""

    asker: Person | None
    keeper: Person
    root: Person
    owner: Person
    words: Sequence[str]
    hidden: Mapping[str, Sequence[Entity | Person]]
    ways: Mapping[str, Sequence[Mapping[str, Any]]]

    @property
    def ids(self) -> list[str]:
        """Global ids of hidden things."""
        return [each.node for things in self.hidden.values() for each in things]


async def build(make: Make, *, signed_in: bool) -> Secrets:
    """Make a world with its secrets, and say which they are for nobody or for a stranger."""
    part = "" if signed_in else PART
    await make.role(f"{part}role", Permission.NONE)
    vera = await make.user("vera", "user", email=f"{PART}veramail@x", details={"k": f"{PART}verameta"})
    zed, keeper, root = await make.user("zed", "user"), await make.user("keeper", "user"), await make.admin()
    open_ = await make.org("open", vera, name="Open", is_public=True)
    seen = await make.resource(open_, owner=vera, slug="seen", name="Seen")
    crew = await make.group(f"{part}crew", display_name=f"{part}crewname", description=f"{part}crewtext")
    await _keep(make, keeper)
    await _grant_anyone(make, seen)
    await make.locked(seen, vera)
    hugo = await make.user(f"{PART}hugo", "user", email=f"{PART}hugomail@x", details={f"{PART}hugometa": 1})
    hana = await make.user(f"{PART}hana", f"{part}role")
    hush = await make.org(f"{PART}hush", hugo, name=f"{PART}hushname", description=f"{PART}hushtext")
    dark, gray = await _hidden_resources(make, hush, open_, hugo)
    await _relate(make, (vera, zed, hugo, hana), (open_, hush, crew), (seen, dark, gray))
    hidden: dict[str, list[Entity | Person]] = {"UserBy": [hugo, hana], "OrgBy": [hush], "ResourceBy": [dark, gray]}
    ways: dict[str, list[dict[str, Any]]] = {kind: [{"id": each.node} for each in hidden[kind]] for kind in hidden}
    ways["UserBy"] += [{"userName": each.user_name} for each in (hugo, hana)]
    ways["OrgBy"] += [{"slug": hush.slug}]
    ways["ResourceBy"] += [
        {"path": {"orgSlug": org.slug, "slug": each.slug}} for org, each in ((hush, dark), (open_, gray))
    ]
    if signed_in:
        return Secrets(zed, keeper, root, hugo, WORDS, hidden, ways)
    hidden["GroupBy"] = [crew]
    ways |= {"GroupBy": [{"id": crew.node}, {"slug": crew.slug}], "RoleBy": [{"name": f"{PART}role"}]}
    return Secrets(None, keeper, root, hugo, (*WORDS, *OF_THE_SIGNED_IN), hidden, ways)


async def _keep(make: Make, keeper: Person) -> None:
    """Create for a user an org, a resource and a group, and no other relations."""
    mine = await make.org("mine", keeper)
    await make.resource(mine, owner=keeper, slug="own", general=0)
    await make.group_member(await make.group("kept"), keeper, is_manager=True)


async def _grant_anyone(make: Make, resource: Entity) -> None:
    row = {
        "resource_id": resource.id,
        "subject": resource_roles.ANYONE,
        "group_id": None,
        "user_id": None,
        "expires_at": None,
    }
    async with make.app.database.write() as tx:
        await tx.insert(tables.Grant, [{**row, "mask": resource_roles.METADATA_READ}])


async def _hidden_resources(make: Make, hush: Entity, open_: Entity, owner: Person) -> tuple[Entity, Entity]:
    """One in a private org, and one in an org that everybody sees."""
    more = {"description": f"{PART}darktext", "details": {"k": f"{PART}darkmeta"}}
    dark = await make.resource(
        hush, owner=owner, general=0, slug=f"{PART}dark", name=f"{PART}darkname", type="MODEL", **more
    )
    gray = await make.resource(open_, owner=owner, general=0, slug=f"{PART}gray", name=f"{PART}grayname")
    return dark, gray


async def _relate(
    make: Make,
    people: tuple[Person, Person, Person, Person],
    places: tuple[Entity, Entity, Entity],
    resources: tuple[Entity, Entity, Entity],
) -> None:
    """Create secrets next to visible rows, and expired rights of the viewer."""
    (vera, zed, hugo, hana), (open_, hush, crew), (seen, dark, gray) = people, places, resources
    for org, person in ((open_, hana), (hush, hana), (hush, vera)):
        await make.member(org, person, MemberLevel.READ_ONLY)
    await make.member(hush, zed, MemberLevel.ADMIN, PAST)
    await make.group_member(crew, hana, is_manager=True)
    await make.group_member(crew, zed, is_manager=True, expires_at=PAST)
    for resource in (seen, dark, gray):
        await make.grant(resource, hugo, resource_roles.ADMIN)
    await make.grant(dark, crew, resource_roles.ADMIN)
    await make.grant(gray, crew, resource_roles.ADMIN)
    await make.grant(gray, zed, resource_roles.ADMIN, PAST)
    row = {"resource_id": dark.id, "user_id": hana.id, "reason": f"{PART}why", "created_at": NOW}
    async with make.app.database.write() as tx:
        await tx.insert(tables.Lock, [row])
        await tx.insert(tables.LockEvent, [{**row, "is_lock": True}])
        await _log(tx, hugo, dark, seen)
        await access_index.rebuild(tx)


async def _log(tx: db.Transaction, actor: Person, *resources: Entity) -> None:
    """Something that was done to what is hidden and to what is seen in one go."""
    by = {"actor_id": actor.id, "actor_name": actor.user_name, "actor_key": actor.user_name}
    await tx.insert(tables.AuditEvent, [{"id": 1, "at": NOW, **by, "face": "REST", "action": "grantAccessBatch"}])
    about = [
        {"kind": each.kind, "key": each.id, "subject": each.node, "name": each.slug, "before": {PART: each.slug}}
        for each in resources
    ]
    await tx.insert(tables.AuditChange, [{"event_id": 1, "at": NOW, **each, "after": {"is": PART}} for each in about])


async def forget(database: db.Database, secrets: Secrets) -> None:
    """Make it the world in which the secrets never were."""
    of = {"OrgBy": tables.Org, "ResourceBy": tables.Resource, "GroupBy": tables.Group, "UserBy": tables.User}
    async with database.write() as tx:
        for kind, things in secrets.hidden.items():
            table: Any = of[kind]
            await tx.rows(delete(table).where(among(col(table.id), integers(each.id for each in things))))
        for ending in (tables.GroupMember, tables.OrgMember, tables.Grant):
            await tx.rows(delete(ending).where(col(ending.expires_at) <= NOW))
        if secrets.asker is not None:
            await _keep_the_number(tx, secrets.root)
        vera = col(tables.User.user_key) == "vera"
        await tx.rows(update(tables.User).where(vera).values(email=None, email_key=None, details={}))
        if secrets.asker is None:
            await tx.rows(delete(tables.Role).where(col(tables.Role.name_key) == f"{PART}role"))
        await access_index.rebuild(tx)


async def _keep_the_number(tx: db.Transaction, person: Person) -> None:
    """Replace a hidden member, since every signed-in viewer reads the number of members of a group."""
    (key,) = [row[0] for row in await tx.rows(select(col(tables.Group.id)).where(col(tables.Group.slug) == "crew"))]
    row = {"group_id": key, "user_id": person.id, "is_manager": False, "added_at": NOW, "expires_at": None}
    await tx.insert(tables.GroupMember, [row])
