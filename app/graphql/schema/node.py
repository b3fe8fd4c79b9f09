"""What has a global id."""

from collections.abc import Mapping
from typing import Any

import strawberry

from app.domain import refs
from app.graphql.schema.decorators import interface_type
from app.graphql.schema.fields import NODE_TYPES, EntityType, identity
from app.query.relations import Lookup, Relation


@interface_type
class Node(EntityType):
    """A thing with a global id, to be asked for again with `node`."""

    id: strawberry.ID = identity("Opaque and fixed for life.")

    def __init_subclass__(cls, **rest: Any) -> None:
        super().__init_subclass__(**rest)
        NODE_TYPES[cls.__name__] = cls


def lookup_of(ways: Mapping[str, Relation]) -> Lookup:
    """A lookup by global id among several types."""

    def choose(arguments: Mapping[str, Any]) -> tuple[str, Any] | None:
        found = refs.decode(arguments["id"])
        return found if found is not None and found[0] in ways else None

    return Lookup(ways, choose)
