"""Authorization: the conditions on rows that a viewer sees or manages, and the requirements of changes.

A condition may depend on `Viewer.permission_profile`: the permissions, and whether the API token is limited. The ids
of the viewer and of the token and the current time are the bound values `VIEWER_ID`, `TOKEN` and `NOW`.
The same condition filters a list, guards a field and authorizes a change. The default is `false()`.

Roles on resources have one source: `effective_subjects` returns the subjects that a user acts as, and the access index
contains the roles of each subject on a resource. Lists, checks, explanations and changes all read these two.
"""

from app.policy.access_subjects import are_many_subjects, count_subjects, holding_group, subjects_sql
from app.policy.api_tokens import sees_api_token
from app.policy.audit import (
    is_settled_change,
    reads_audit,
    sees_audit,
    sees_audit_event,
    sees_audit_of_resource,
    sees_settled_events,
)
from app.policy.capabilities import (
    Capabilities,
    group_capabilities,
    group_facts,
    org_capabilities,
    org_facts,
    resource_capabilities,
    resource_facts,
    user_capabilities,
    user_facts,
    viewer_capabilities,
)
from app.policy.checks import (
    EXPIRES,
    FEW_PAIRS,
    MANY_PAIRS,
    MAX_SUBJECTS,
    NO_RESOURCE,
    NO_USER,
    PAIR,
    WIDE_PAIR,
    WIDTH,
    entries_of_resources,
    masks_of_pairs,
    masks_of_user,
    subjects_of_users,
)
from app.policy.conditions import (
    asks_about_everybody,
    is_valid_until,
    sees_all_resources,
    unrestricted,
)
from app.policy.effective_subjects import (
    USER_SUBJECTS,
    effective_subjects,
    grant_has_ended,
    is_active,
    is_anyone,
    is_general,
    subject_id,
    user_subjects,
    viewer_subjects,
)
from app.policy.expiry import administers_resource_until, manages_group_until, manages_org_until
from app.policy.groups import (
    group_membership_lasts,
    is_my_group,
    manages_group_members,
    number_of_group_members,
    sees_group,
    sees_group_members,
    sees_group_membership,
    sees_who_added,
)
from app.policy.impersonation import compares_access, holds_more
from app.policy.orgs import (
    deletes_org,
    governs_orgs,
    has_org_access,
    is_org_owner,
    is_public_org,
    manages_org,
    membership_lasts,
    my_orgs,
    names_resources_in_org,
    number_of_members_of_org,
    org_level,
    sees_membership,
    sees_org,
    sees_org_members,
    transfers_org,
    writes_org,
)
from app.policy.requirements import (
    require,
    require_equal_rights,
    require_local_accounts,
    require_role,
    require_session,
    require_signed_in,
    require_users_view,
    sees_everything,
)
from app.policy.resources import (
    administered,
    administers_resource,
    bit_or,
    deletes_in_org,
    effective_mask,
    gives_roles,
    granted_mask,
    granted_sql,
    holds_access,
    is_current_entry,
    lists_reached,
    lists_resource,
    lists_resources_by_table,
    may_ask_of_user,
    members_are_seen,
    path_expiry,
    path_granted_roles,
    path_group,
    path_level,
    path_roles,
    roles_sql,
    sees_accessors,
    sees_configuration,
    sees_org_of_resource,
    sees_resource,
    sees_user_grant,
    transfers_resource,
    viewer_entries,
)
from app.policy.storage import (
    is_reserved,
    storage_used,
    storage_used_in_org,
    stores_without_limit,
    sum_of,
    ticket_stage,
)
from app.policy.token_scope import scope_includes_resource
from app.policy.users import (
    finds_everybody,
    finds_user,
    knows_user,
    sees_all_users,
    sees_holders,
    sees_registry_administrators,
    sees_role,
    sees_user_details,
)
