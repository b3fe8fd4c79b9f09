"""Documents in tests: exported from a database, and applied to one."""

import io
from collections.abc import Mapping

from sqlalchemy import select

from app import db
from app.db import tables
from app.db.tables import col
from app.services.state import applying, file_writer, files
from app.services.state.changes import Plan
from app.services.state.files import Format
from tests.oracle.worlds import World

BASE = """\
version: 1
users:
  - userName: ann
    email: ann@example.org
  - userName: bob
orgs:
  - slug: reef
    name: Reef Lab
    owner: ann
    members:
      - {user: bob, level: READ_ONLY}
groups:
  - slug: divers
    displayName: Divers
    members:
      - {user: bob, isManager: true}
resources:
  - org: reef
    slug: corals
    type: DATASET
    name: Corals
    owner: ann
    metadata: {depth: 12}
    lock: {reason: "Under review."}
    grants:
      general: {roles: [METADATA_READ]}
      groups:
        - {group: divers, roles: [DATASET_DATA_READ], expiresAt: "2199-01-01T00:00:00Z"}
      users:
        - {user: bob, roles: [ADMIN]}
"""


def silent(_: str, __: int) -> None:
    """Show no progress."""


async def exported(database: db.Database, form: Format = Format.YAML, *, with_hashes: bool = True) -> str:
    """Return the registry as a document."""
    file = io.StringIO()
    await applying.export(database, file_writer.Writer(file, form), silent, with_hashes=with_hashes)
    return file.getvalue()


async def planned(database: db.Database, text: str, form: Format = Format.YAML, *, prune: bool = False) -> Plan:
    """Return the plan of a document, whose form is right."""
    reader = files.read(io.BytesIO(text.encode()), form)
    assert [*map(str, reader.faults)] == []
    return await applying.plan(database, reader.state, prune=prune)


async def applied(database: db.Database, text: str, form: Format = Format.YAML, *, prune: bool = False) -> int:
    """Apply a document without faults, and return the number of changes."""
    plan = await planned(database, text, form, prune=prune)
    if plan.faults:
        raise AssertionError("\n".join(map(str, plan.faults)))
    return (await applying.apply(database, plan, silent)).changes


async def faults(database: db.Database, text: str, form: Format = Format.YAML, *, prune: bool = False) -> list[str]:
    """Return the faults of a document."""
    reader = files.read(io.BytesIO(text.encode()), form)
    plan = await applying.plan(database, reader.state, prune=prune)
    return [str(fault) for fault in reader.faults or plan.faults]


async def emptied(world: World, database: db.Database) -> None:
    """Replace all rows by the roles and the resource types of a new registry."""
    rows: Mapping[str, list[dict[str, object]]] = {
        kind: [row for row in of_kind if row.get("isBuiltIn")] for kind, of_kind in world.rows.items()
    }
    await World({**rows}, {}, {}).write(database)


async def events(database: db.Database) -> list[tuple[str, str, int | None]]:
    """Return the action, the channel and the actor of all audit events, in order."""
    event = tables.AuditEvent
    statement = select(col(event.action), col(event.face), col(event.actor_id)).order_by(col(event.id))
    return [tuple(row) for row in await database.ask(statement, freshness=db.Freshness.PRIMARY)]
