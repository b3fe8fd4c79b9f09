"""Claims about the actions of the audit log that may change many objects: each is the name of a change."""

from app.graphql import schema
from app.services.audit.recorder import LARGE_ACTIONS

OF_COMMANDS = {"applyState"}


def test_every_large_action_is_a_change() -> None:
    mutations = schema.core().mutation_type
    assert mutations is not None
    assert mutations.fields.keys() >= LARGE_ACTIONS - OF_COMMANDS
    many = {name for name in mutations.fields if name.endswith("Batch") or name.startswith(("delete", "create"))}
    bulk = {name for name in many if "results" in mutations.fields[name].type.of_type.fields}
    assert bulk <= LARGE_ACTIONS
