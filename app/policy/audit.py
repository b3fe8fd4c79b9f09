"""Who reads the audit log."""

from sqlalchemy import ColumnElement, and_, exists, false, true

from app.db.tables import AuditChange, AuditEvent, Resource, col
from app.domain.viewer import Permission, Viewer
from app.policy.resources import administers_resource
from app.query.relations import SETTLED


def reads_audit(viewer: Viewer) -> bool:
    """Whether she reads all of it."""
    return Permission.AUDIT_VIEW in viewer.permissions


def sees_audit(viewer: Viewer) -> ColumnElement[bool]:
    """What only those see who read all of it."""
    return true() if reads_audit(viewer) else false()


def sees_settled_events(viewer: Viewer) -> ColumnElement[bool]:
    """Condition for the list of all events: the viewer reads the whole log, and the event is settled."""
    return and_(sees_audit(viewer), col(AuditEvent.id) <= SETTLED)


def is_settled_change(viewer: Viewer) -> ColumnElement[bool]:
    """Condition for the events of one object, whose guard was checked on the way here: the event is settled."""
    return col(AuditChange.event_id) <= SETTLED


def sees_audit_of_resource(viewer: Viewer) -> ColumnElement[bool]:
    """Sees what was done to the resource of the row: also those who administer it."""
    return true() if reads_audit(viewer) else administers_resource(viewer)


def sees_audit_event(viewer: Viewer) -> ColumnElement[bool]:
    """Sees that there is an event: it is about a resource that she administers, or she reads all of them."""
    if reads_audit(viewer):
        return true()
    here = col(AuditChange.event_id) == col(AuditEvent.id), col(AuditChange.kind) == "Resource"
    about = (*here, col(AuditChange.key) == col(Resource.id), administers_resource(viewer))
    return exists().where(*about).correlate(AuditEvent)
