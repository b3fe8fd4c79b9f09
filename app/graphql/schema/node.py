"""The interface of types with a global id."""

from collections.abc import Mapping
from typing import Any

import strawberry

from app.domain import refs
from app.graphql.schema.decorators import interface_type
from app.graphql.schema.fields import NODE_TYPES, EntityType, identity
from app.query.relations import Lookup, Relation

REVISION = "1 for a new object, and one more after each change of its values. An update can require it by `ifRevision`."
"""Description of the field `revision` of an object."""


@interface_type
class Node(EntityType):
    """An object with a global id. The query `node` returns it by this id."""

    id: strawberry.ID = identity("Opaque global id. It never changes.")

    def __init_subclass__(cls, **rest: Any) -> None:
        super().__init_subclass__(**rest)
        NODE_TYPES[cls.__name__] = cls


def lookup_of(relations: Mapping[str, Relation]) -> Lookup:
    """Return the lookup by global id among several types."""

    def choose(arguments: Mapping[str, Any]) -> tuple[str, Any] | None:
        ref = refs.decode(arguments["id"])
        return ref if ref is not None and ref[0] in relations else None

    return Lookup(relations, choose)
