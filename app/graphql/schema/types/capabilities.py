"""Capabilities of the viewer: one object of Booleans for each kind of object, for the buttons of a user interface."""

from collections.abc import Callable
from functools import cache
from typing import TypeVar

import strawberry

from app import policy
from app.domain.viewer import Viewer
from app.graphql.schema.decorators import object_type

T = TypeVar("T")

ABOUT = (
    "What the viewer can do with it now. True if the change is not refused for the rights of the viewer or the state "
    "of the object, such as a lock. It can still be rejected for its input, a quota, or another object that it names."
)
"""Description of the fields `viewerCan`."""


@object_type
class UserCapabilities:
    """The changes and reads that the viewer can do with a user."""

    update: bool = strawberry.field(description="Change the e-mail address and the display name: `updateUser`.")
    rename: bool = strawberry.field(description="Change the user name: `renameUser`.")
    set_metadata: bool = strawberry.field(description="Replace the metadata: `setUserMetadata`.")
    assign_roles: bool = strawberry.field(
        description="Change the roles: `assignRoles`, with roles that have no more permissions than the viewer."
    )
    deactivate: bool = strawberry.field(
        description="Add the role `deactivated`: `deactivateUser`. False if the user has it, and for the last active "
        "administrator."
    )
    reactivate: bool = strawberry.field(
        description="Remove the role `deactivated`: `reactivateUser`. False if the user does not have it."
    )
    reset_password: bool = strawberry.field(
        description="Set a new password: `resetPassword`. False with an API token, and for service accounts."
    )
    create_api_tokens: bool = strawberry.field(
        description="Create API tokens: `createApiToken`, for the viewer or for a service account. False with an API "
        "token."
    )
    delete: bool = strawberry.field(
        description="Delete the account: `deleteUser` without a successor. False while a resource of the user, or in "
        "an org of the user, is locked, and for the last active administrator."
    )
    see_details: bool = strawberry.field(description="See the e-mail address, metadata, roles and last sign-in.")
    see_accessible_resources: bool = strawberry.field(description="List the resources that the user has access to.")


@object_type
class OrgCapabilities:
    """The changes and reads that the viewer can do with an org."""

    update: bool = strawberry.field(description="Change name, description and visibility: `updateOrg`.")
    delete: bool = strawberry.field(
        description="Delete the org with its resources: `deleteOrg`. False while one of them is locked."
    )
    transfer: bool = strawberry.field(
        description="Give the org to another user: `transferOrg`. False while one of its resources is locked."
    )
    manage_members: bool = strawberry.field(
        description="Add, update and remove members: `addOrgMember`, `updateOrgMember`, `removeOrgMember`."
    )
    leave: bool = strawberry.field(
        description="Remove the viewer's own membership: `removeOrgMember`. False for the owner, who is no member."
    )
    create_resources: bool = strawberry.field(description="Create resources in the org: `createResource`.")
    see_members: bool = strawberry.field(description="See the members.")


@object_type
class GroupCapabilities:
    """The changes and reads that the viewer can do with a group."""

    update: bool = strawberry.field(description="Change name, description and visibility: `updateGroup`.")
    delete: bool = strawberry.field(description="Delete the group with its grants: `deleteGroup`.")
    manage_members: bool = strawberry.field(
        description="Add and remove members, and let them manage the group: `addGroupMembers`, `removeGroupMembers`, "
        "`setGroupManager`."
    )
    see_members: bool = strawberry.field(description="See the members.")


@object_type
class ResourceCapabilities:
    """The changes and reads that the viewer can do with a resource."""

    update_metadata: bool = strawberry.field(
        description="Change name, description and metadata: `updateResource`. False while it is locked."
    )
    download: bool = strawberry.field(description="Download the files: `beginDownload`.")
    upload: bool = strawberry.field(description="Upload files: `beginUpload`. False while the resource is locked.")
    see_access: bool = strawberry.field(description="See the access configuration.")
    change_access: bool = strawberry.field(
        description="Change the access configuration: `submitAccess`, `grantAccess`, `revokeAccess`. A lock does not "
        "prevent it."
    )
    see_access_subjects: bool = strawberry.field(description="List the subjects with a role on the resource.")
    see_audit_events: bool = strawberry.field(description="List the audit events of the resource.")
    lock: bool = strawberry.field(description="Lock the resource: `lockResource`. False while it is locked.")
    unlock: bool = strawberry.field(description="Unlock the resource: `unlockResource`. False if it is not locked.")
    transfer: bool = strawberry.field(
        description="Give the resource to another owner or org: `transferResource`. False while it is locked."
    )
    delete: bool = strawberry.field(description="Delete the resource: `deleteResource`. False while it is locked.")


@object_type
class ViewerCapabilities:
    """The changes and reads that the viewer can do in the registry as a whole."""

    create_users: bool = strawberry.field(
        description="Create users and service accounts. False if an identity provider manages the accounts."
    )
    create_roles: bool = strawberry.field(
        description="Create roles. False if an identity provider manages the accounts."
    )
    create_orgs: bool = strawberry.field(description="Create orgs.")
    create_groups: bool = strawberry.field(description="Create groups.")
    create_resource_types: bool = strawberry.field(description="Create resource types.")
    create_api_tokens: bool = strawberry.field(description="Create API tokens of their own. False with an API token.")
    change_password: bool = strawberry.field(
        description="Change their own password. False with an API token, and if an identity provider manages the "
        "accounts."
    )
    see_all_users: bool = strawberry.field(description="See all users, with their details.")
    see_all_orgs_and_resources: bool = strawberry.field(
        description="See all orgs and all resources; with a limited API token, those in its scope."
    )
    see_audit_events: bool = strawberry.field(description="Read the audit log.")
    see_all_access: bool = strawberry.field(
        description="Ask about the access of every user; with a limited API token, in its scope."
    )


def _reader(kind: type[T], capabilities: Callable[[int], policy.Capabilities]) -> Callable[[int], T]:
    """Return the function from the facts of a row to an object; rows with the same facts share one object."""
    return cache(lambda facts: kind(**capabilities(facts)))


user_capabilities = _reader(UserCapabilities, policy.user_capabilities)
org_capabilities = _reader(OrgCapabilities, policy.org_capabilities)
group_capabilities = _reader(GroupCapabilities, policy.group_capabilities)
resource_capabilities = _reader(ResourceCapabilities, policy.resource_capabilities)


def viewer_capabilities(viewer: Viewer) -> ViewerCapabilities:
    """Return what the viewer can do in the registry as a whole."""
    return ViewerCapabilities(**policy.viewer_capabilities(viewer))
