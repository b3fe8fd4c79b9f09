"""Visibility of the audit log."""

from sqlalchemy import ColumnElement, and_, exists, false, true

from app.db.tables import AuditChange, AuditEvent, Resource, col
from app.domain.viewer import Permission, Viewer
from app.policy.resources import administers_resource
from app.query.relations import SETTLED


def reads_audit(viewer: Viewer) -> bool:
    """Return whether the viewer reads the complete log."""
    return Permission.AUDIT_VIEW in viewer.permissions


def sees_audit(viewer: Viewer) -> ColumnElement[bool]:
    """Return true if the viewer reads the complete log, else false."""
    return true() if reads_audit(viewer) else false()


def sees_settled_events(viewer: Viewer) -> ColumnElement[bool]:
    """Return the condition for the list of all events: the viewer reads the complete log, and the event is settled."""
    return and_(sees_audit(viewer), col(AuditEvent.id) <= SETTLED)


def is_settled_change(viewer: Viewer) -> ColumnElement[bool]:
    """Return the condition for the events of one object, which is already authorized: the event is settled."""
    return col(AuditChange.event_id) <= SETTLED


def sees_audit_of_resource(viewer: Viewer) -> ColumnElement[bool]:
    """Return the condition for the events of a resource: the viewer administers it, or reads the complete log."""
    return true() if reads_audit(viewer) else administers_resource(viewer)


def sees_audit_event(viewer: Viewer) -> ColumnElement[bool]:
    """Return the condition for an event: it is about a resource that the viewer administers, or they read them all."""
    if reads_audit(viewer):
        return true()
    change = col(AuditChange.event_id) == col(AuditEvent.id), col(AuditChange.kind) == "Resource"
    of_resource = (*change, col(AuditChange.key) == col(Resource.id), administers_resource(viewer))
    return exists().where(*of_resource).correlate(AuditEvent)
