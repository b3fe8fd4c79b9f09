"""Claims about the actions of the audit log that may change many objects: each is the name of a change."""

from graphql import GraphQLObjectType, get_named_type

from app.graphql import schema
from app.services.audit.recorder import LARGE_ACTIONS

OF_COMMANDS = {"applyState"}


def test_every_large_action_is_a_change() -> None:
    mutations = schema.core().mutation_type
    assert mutations is not None
    assert mutations.fields.keys() >= LARGE_ACTIONS - OF_COMMANDS
    many = {name for name in mutations.fields if name.endswith("Batch") or name.startswith(("delete", "create"))}
    payloads = {name: get_named_type(mutations.fields[name].type) for name in many}
    bulk = {name for name, kind in payloads.items() if isinstance(kind, GraphQLObjectType) and "results" in kind.fields}
    assert bulk <= LARGE_ACTIONS
