"""Claims about the numbers of audit events after a restore: a reader continues from its cursor and misses none."""

from sqlalchemy import func, select, text

from app import db
from app.db.tables import AuditEvent, col
from app.services import session_revocation
from tests.support.changes import answered, change
from tests.support.client import Api
from tests.support.factories import Make
from tests.support.truncate import unguarded

CREATE = change("createOrg", "org { slug }")
NEWEST = "{ auditEvents(last: 1, orderBy: [{field: CREATED_AT, direction: ASC}]) { edges { cursor node { id } } } }"
SINCE = """query ($after: String!) {
  auditEvents(first: 100, after: $after, orderBy: [{field: CREATED_AT, direction: ASC}]) {
    nodes { action changes(first: 1) { totalCount } }
  }
}"""


async def test_a_reader_of_a_restored_registry_reads_on(api: Api, make: Make, database: db.Database) -> None:
    root = await make.admin()
    org = {"slug": "before", "name": "Before"}
    answered(await api(CREATE, root, input=org), "createOrg")
    for slug in ("first", "second"):
        (edge,) = (await api(NEWEST, root))["data"]["auditEvents"]["edges"]
        await session_revocation.end_all(database)
        root = await make.user(slug, "admin")
        answered(await api(CREATE, root, input={**org, "slug": slug}), "createOrg")
        events = (await api(SINCE, root, after=edge["cursor"]))["data"]["auditEvents"]["nodes"]
        assert [event["action"] for event in events] == ["endSessions", "createOrg"]
        assert events[0]["changes"]["totalCount"] == 0


async def test_no_number_is_given_again(api: Api, make: Make, database: db.Database) -> None:
    root = await make.admin()
    for slug in ("one", "two"):
        answered(await api(CREATE, root, input={"slug": slug, "name": slug}), "createOrg")
    statements = {
        "sqlite": "UPDATE sqlite_sequence SET seq = (SELECT max(id) FROM audit_events) WHERE name = 'audit_events'",
        "postgresql": "SELECT setval('audit_events_id_seq', (SELECT max(id) FROM audit_events))",
    }
    await session_revocation.end_all(database)
    before = await _last(database)
    # The backup of an earlier moment, as a restore leaves it.
    async with database.write() as tx:
        async with unguarded(database, tx):
            await tx.rows(text("DELETE FROM audit_changes"))
            await tx.rows(text("DELETE FROM audit_events WHERE id > 1000000"))
        await tx.rows(text(statements[database.dialect.name]))
    await session_revocation.end_all(database)

    assert await _last(database) > before


async def _last(database: db.Database) -> int:
    statement = select(func.max(col(AuditEvent.id)))
    ((number,),) = await database.ask(statement, freshness=db.Freshness.PRIMARY)
    return int(number)
