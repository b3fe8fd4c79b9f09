"""The registry of entities: every kind of object that has a global id, one row each."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from sqlmodel import SQLModel

from app.db import tables
from app.query.relations import Relation
from app.services import read_graph
from app.services.audit import states
from app.services.audit.states import StateLoader


@dataclass(frozen=True, slots=True, eq=False)
class Entity:
    """One kind of object. A global id names it by `name`, which is also the name of its GraphQL type.

    `relation` finds it by its id, for `node`. `audit` loads its states for the audit log, where `audit_text` describes
    the kind; an entity without them is not followed by the log.
    """

    name: str
    table: type[SQLModel]
    relation: Relation
    audit: StateLoader | None = None
    audit_text: str = ""

    @property
    def constant(self) -> str:
        """Return the name as the API writes it in an enum: `RESOURCE_TYPE`."""
        return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", self.name).upper()


ENTITIES: Mapping[str, Entity] = {
    entity.name: entity
    for entity in (
        Entity(
            "User",
            table=tables.User,
            relation=read_graph.user,
            audit=states.load_users,
            audit_text="A user, with roles, and with orgs, groups and access as far as they changed.",
        ),
        Entity(
            "Role",
            table=tables.Role,
            relation=read_graph.role,
            audit=states.load_roles,
            audit_text="A role.",
        ),
        Entity(
            "Org",
            table=tables.Org,
            relation=read_graph.org,
            audit=states.load_orgs,
            audit_text="An org, with members and resources as far as they changed.",
        ),
        Entity(
            "Group",
            table=tables.Group,
            relation=read_graph.group,
            audit=states.load_groups,
            audit_text="A group, with members and access as far as they changed.",
        ),
        Entity(
            "Resource",
            table=tables.Resource,
            relation=read_graph.resource,
            audit=states.load_resources,
            audit_text="A resource, with its access configuration, uploads and downloads as far as they changed.",
        ),
        Entity(
            "ResourceType",
            table=tables.ResourceType,
            relation=read_graph.resource_type,
            audit=states.load_resource_types,
            audit_text="A type of resources.",
        ),
        Entity("AuditEvent", table=tables.AuditEvent, relation=read_graph.audit_event),
        Entity(
            "ApiToken",
            table=tables.ApiToken,
            relation=read_graph.api_token,
            audit=states.load_api_tokens,
            audit_text="An API token; the token itself is told nowhere.",
        ),
    )
}

AUDITED: Mapping[str, StateLoader] = {
    name: entity.audit for name, entity in ENTITIES.items() if entity.audit is not None
}
"""The loaders of states, by the name of the entity."""

RELATIONS: Mapping[str, Relation] = {name: entity.relation for name, entity in ENTITIES.items()}
"""The relations that find an object by its global id, by the name of the entity."""
