"""The registry of entities: every kind of object that has a global id, one row each."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlmodel import SQLModel

from app import loaders, tables
from app.services import snapshots
from app.services.snapshots import StateLoader
from app.sources import Source


@dataclass(frozen=True, slots=True, eq=False)
class Entity:
    """One kind of object. A global id names it by `name`, which is also the name of its GraphQL type.

    `relation` finds it by its id, for `node`. `audit` loads its states for the audit log; None for an entity that the
    log does not follow.
    """

    name: str
    table: type[SQLModel]
    relation: Source
    audit: StateLoader | None = None


ENTITIES: Mapping[str, Entity] = {
    entity.name: entity
    for entity in (
        Entity("User", table=tables.User, audit=snapshots.load_users, relation=loaders.user),
        Entity("Role", table=tables.Role, audit=snapshots.load_roles, relation=loaders.role),
        Entity("Org", table=tables.Org, audit=snapshots.load_orgs, relation=loaders.org),
        Entity("Group", table=tables.Group, audit=snapshots.load_groups, relation=loaders.group),
        Entity("Resource", table=tables.Resource, audit=snapshots.load_resources, relation=loaders.resource),
        Entity(
            "ResourceType",
            table=tables.ResourceType,
            audit=snapshots.load_resource_types,
            relation=loaders.resource_type,
        ),
        Entity("AuditEvent", table=tables.AuditEvent, relation=loaders.audit_event),
        Entity("ApiToken", table=tables.ApiToken, audit=snapshots.load_api_tokens, relation=loaders.api_token),
    )
}

AUDITED: Mapping[str, StateLoader] = {
    name: entity.audit for name, entity in ENTITIES.items() if entity.audit is not None
}
"""The loaders of states, by the name of the entity."""

RELATIONS: Mapping[str, Source] = {name: entity.relation for name, entity in ENTITIES.items()}
"""The relations that find an object by its global id, by the name of the entity."""
