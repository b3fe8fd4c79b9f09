"""All tables with their keys and constraints, and the column types. No ORM relationships, so no implicit queries."""

from app.db.tables.records import (
    ApiToken,
    ApiTokenOrg,
    ApiTokenResource,
    AuditChange,
    AuditEvent,
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
    JSONDocument,
    KeyText,
    RowId,
    SearchText,
    SortKeyText,
    UTCDateTime,
    casefold_key,
    col,
    sort_key,
)
