"""The audit log: what each change did to which object."""

from app.services.audit.entries import MAX_CHANGE
from app.services.audit.recorder import (
    claim_revision,
    discard,
    note,
    set_actor,
    sub_event,
    track,
    track_links,
    track_loaded,
    track_new,
    transaction,
)
from app.services.audit.revisions import Revision, require_current
from app.services.audit.states import (
    API_TOKEN,
    GRANTS,
    GROUP,
    GROUP_MEMBERS,
    ORG,
    ORG_MEMBERS,
    RESOURCE,
    RESOURCE_TYPE,
    ROLE,
    USER,
    ObjectRef,
)
