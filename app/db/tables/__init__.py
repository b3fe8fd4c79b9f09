"""All tables with their keys and constraints, and the column types. No ORM relationships, so no implicit queries."""

from app.db.columns import aliased, col, from_of
from app.db.tables.records import (
    ApiToken,
    ApiTokenOrg,
    ApiTokenResource,
    AuditChange,
    AuditEvent,
    AuditPermit,
    AuditSeal,
    Guess,
    MutationKey,
    RevokedToken,
    SigningKey,
    Stage,
    Ticket,
)
from app.db.tables.registry import (
    Access,
    Grant,
    Group,
    GroupMember,
    Lock,
    LockEvent,
    MembersSeenBy,
    Org,
    OrgMember,
    Resource,
    ResourceType,
    Role,
    User,
    UserRole,
)
from app.db.types import (
    MAX_BYTES,
    CaseFolded,
    Earliest,
    JSONDocument,
    KeyText,
    Latest,
    RowId,
    SearchText,
    SortKeyText,
    UTCDateTime,
    casefold_key,
    or_bound,
    sort_key,
)
