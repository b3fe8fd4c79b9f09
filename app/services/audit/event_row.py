"""The statement that inserts the row of an audit event and returns its id, and the id of the transaction."""

from typing import Any

from sqlalchemy import ColumnElement, Text, bindparam, func, insert, select
from sqlalchemy.ext.compiler import compiles

from app.db.tables import AuditEvent, KeyText, RowId, User, UTCDateTime, col


def _actor_column(column: Any, default: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return a column of the actor's row, or `default` if the change has deleted that row."""
    current = select(col(column)).where(col(User.id) == bindparam("new_actor", type_=RowId())).scalar_subquery()
    expression: ColumnElement[Any] = func.coalesce(current, default)
    return expression


class _TransactionId(ColumnElement[str]):
    """The id by which PostgreSQL reports later whether the transaction was committed; NULL on SQLite."""

    inherit_cache = True
    type = Text()


@compiles(_TransactionId, "sqlite")
def _null_on_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    return "NULL"


@compiles(_TransactionId, "postgresql")
def _xid_on_postgresql(element: Any, compiler: Any, **options: Any) -> str:
    return "pg_current_xact_id()::text"


INSERT_EVENT = (
    insert(AuditEvent)
    .values(
        at=bindparam("new_at", type_=UTCDateTime()),
        actor_id=bindparam("new_actor", type_=RowId()),
        actor_name=_actor_column(User.user_name, bindparam("new_name", type_=Text())),
        actor_key=_actor_column(User.user_key, bindparam("new_key", type_=KeyText())),
        face=bindparam("new_face", type_=KeyText()),
        address=bindparam("new_address", type_=Text()),
        request_id=bindparam("new_request", type_=Text()),
        action=bindparam("new_action", type_=KeyText()),
    )
    .returning(col(AuditEvent.id), _TransactionId())
)
