"""Types of the response bodies, with the names of the documented API. The OpenAPI description is made from them."""

from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import Field
from typing_extensions import TypedDict  # pydantic needs it before Python 3.12

Moment = Annotated[str, Field(json_schema_extra={"format": "date-time"}, description="ISO 8601 in UTC, with a Z.")]
UserName = Annotated[str, Field(description="Letters and digits, 1 to 127; from an identity provider also - . _ @ +.")]
Email = Annotated[str | None, Field(description="Null if there is none.")]
RoleNames = Annotated[list[str], Field(description="Names of the user's roles.")]
Slugs = Annotated[list[str], Field(description="Slugs of the user's orgs that the viewer may see.")]
Bytes = Annotated[int, Field(ge=0)]
Level = Annotated[
    int, Field(ge=0, le=3, description="0 read only, 1 read and write, 2 also delete, 3 also manage members.")
]


class Error(TypedDict):
    """An error."""

    error: Annotated[str, Field(description="Message for users; several reasons are separated by |.")]
    noRetry: Annotated[
        bool, Field(description="True without a valid token, without the permission and over a quota; else false.")
    ]


class Session(TypedDict):
    """A token and its user."""

    token: Annotated[str, Field(description="Send it as Authorization: Bearer.")]
    expires: Annotated[str | int, Field(description="As `expiresAt`; in Unix seconds with the setting DroneDbClients.")]
    expiresAt: Moment
    username: UserName
    userName: UserName
    email: Email
    roles: RoleNames


class User(TypedDict):
    """A user."""

    userName: UserName
    email: Email
    roles: RoleNames
    organizations: Slugs


class DetailedUser(TypedDict):
    """A user with their storage."""

    id: Annotated[str, Field(description="Global id of the user in GraphQL.")]
    userName: UserName
    email: Email
    roles: RoleNames
    organizations: Slugs
    storageQuota: Annotated[Bytes | None, Field(description="Storage quota in bytes; null for no limit.")]
    storageUsed: Annotated[Bytes, Field(description="Bytes stored in the user's own orgs, including open uploads.")]
    organizationCount: Annotated[int, Field(description="Number of orgs in `organizations`.")]
    datasetCount: Annotated[int, Field(description="Number of datasets in these orgs that the viewer may see.")]
    createdDate: Moment


class Deleted(TypedDict):
    """Result of the deletion of a user."""

    userName: UserName
    successor: Annotated[str | None, Field(description="User name of the new owner; null for none.")]
    organizationsTransferred: Annotated[int, Field(description="Orgs transferred to the successor.")]
    organizationsDeleted: Annotated[int, Field(description="Always 0: orgs stay.")]
    datasetsTransferred: Annotated[int, Field(description="Resources transferred to the successor.")]
    datasetsDeleted: Annotated[int, Field(description="Always 0: resources stay.")]
    batchesDeleted: Annotated[int, Field(description="Always 0: there are none.")]
    datasetResults: Annotated[list["MovedDataset"], Field(description="Always empty: there are no slug conflicts.")]


class Storage(TypedDict):
    """Used storage and storage quota of a user."""

    total: Annotated[Bytes | None, Field(description="Storage quota in bytes; null for no limit.")]
    used: Annotated[Bytes, Field(description="Bytes stored in the user's own orgs, including open uploads.")]


class OrgRights(TypedDict):
    """Permissions of the viewer on an org."""

    canRead: Annotated[bool, Field(description="Always true: a visible org is readable.")]
    canWrite: Annotated[bool, Field(description="True if the viewer may edit the org and create datasets in it.")]
    canDelete: Annotated[bool, Field(description="True if the viewer may delete it.")]
    canManageMembers: Annotated[bool, Field(description="True if the viewer may change its members.")]


class _Org(TypedDict):
    slug: Annotated[str, Field(description="Name in paths.")]
    name: Annotated[str, Field(description="Display name.")]
    description: Annotated[str, Field(description="Description; may be empty.")]
    creationDate: Moment
    owner: Annotated[str | None, Field(description="User name of the owner; null for none.")]
    isPublic: Annotated[bool, Field(description="True if every user and anonymous may see it.")]


class Org(_Org):
    """An org."""

    permissions: Annotated[OrgRights | None, Field(description="Permissions of the viewer; null if anonymous.")]


class UserOrg(_Org):
    """An org that a user owns or belongs to."""

    isOwner: Annotated[bool, Field(description="True for the owner, false for a member.")]
    permissions: Annotated[Level | None, Field(description="Level of the member; null for the owner.")]
    grantedAt: Annotated[Moment | None, Field(description="When the membership was granted or last changed.")]
    grantedBy: Annotated[str | None, Field(description="User name of the user who changed it last.")]


class Member(TypedDict):
    """A member of an org."""

    userName: UserName
    email: Annotated[str | None, Field(description="Null if there is none, or if the viewer may not see it.")]
    permissions: Level
    grantedAt: Moment
    grantedBy: Annotated[str | None, Field(description="User name of the user who changed it last; null if unknown.")]


class _Fact(TypedDict):
    id: Annotated[int, Field(description="Always 0.")]
    mtime: Annotated[float, Field(description="When the dataset last changed, in Unix seconds.")]


class Words(_Fact):
    """A text of a dataset."""

    data: Annotated[str, Field(description="The text.")]


class Openness(_Fact):
    """Visibility of a dataset."""

    data: Annotated[
        int,
        Field(
            ge=0,
            le=2,
            description="0 private, 1 for every signed-in user (with DroneDbClients for anyone), 2 for anyone.",
        ),
    ]


class Attributes(TypedDict):
    """Attributes of a dataset."""

    public: Annotated[bool, Field(description="True if the dataset is public now, false if it is private.")]


class MovedDataset(TypedDict):
    """The move of a dataset to another org."""

    originalSlug: Annotated[str, Field(description="Slug before the move.")]
    newSlug: Annotated[str | None, Field(description="Slug in the destination; null if the dataset was not moved.")]
    success: Annotated[bool, Field(description="True if the dataset was moved.")]
    error: Annotated[str | None, Field(description="Reason why the dataset was not moved; null if it was.")]


class MergedOrgs(TypedDict):
    """Result of a merge of two orgs."""

    sourceOrgSlug: Annotated[str, Field(description="Slug of the org whose resources were moved.")]
    destinationOrgSlug: Annotated[str, Field(description="Slug of the org that has them now.")]
    datasetResults: Annotated[list[MovedDataset], Field(description="One result for each resource of the source.")]
    sourceOrganizationDeleted: Annotated[bool, Field(description="True if the source was deleted.")]
    datasetsMovedCount: Annotated[int, Field(description="Number of moved resources.")]
    datasetsFailedCount: Annotated[int, Field(description="Number of resources that stay in the source.")]


class Meta(TypedDict):
    """Metadata of a dataset."""

    name: Annotated[Words, Field(description="Display name.")]
    visibility: Annotated[Openness, Field(description="Visibility of the dataset.")]
    tagline: Annotated[Words, Field(description="Description of the dataset.")]


class Properties(TypedDict):
    """Properties of a dataset."""

    entries: Annotated[int, Field(description="The value of `entries` in the metadata, else 0.")]
    public: Annotated[bool, Field(description="True if `visibility` is 2.")]
    meta: Annotated[Meta, Field(description="Metadata of the dataset.")]


class DatasetRights(TypedDict):
    """Permissions of the viewer on a dataset."""

    canRead: Annotated[bool, Field(description="True if the viewer may download it.")]
    canWrite: Annotated[bool, Field(description="True if the viewer may upload to it and edit it.")]
    canDelete: Annotated[bool, Field(description="True if the viewer may delete it.")]


class Dataset(TypedDict):
    """A dataset."""

    slug: Annotated[str, Field(description="Name in paths; unique in the org.")]
    creationDate: Moment
    properties: Annotated[Properties, Field(description="Properties of the dataset.")]
    size: Annotated[Bytes, Field(description="Bytes.")]
    permissions: Annotated[DatasetRights, Field(description="Permissions of the viewer.")]
    hasThumbnail: Annotated[bool | None, Field(description="Always null: there are no thumbnails.")]


class EntryProperties(Properties):
    """Properties of a dataset, with the permissions of the viewer."""

    permissions: Annotated[DatasetRights, Field(description="Permissions of the viewer.")]


class Entry(TypedDict):
    """A dataset as an entry of a list of files."""

    path: Annotated[str, Field(description="ddb://host/org/dataset, or ddb+unsafe:// if the server uses http.")]
    hash: Annotated[str | None, Field(description="Always null.")]
    type: Annotated[int, Field(description="Always 7, a dataset.")]
    properties: Annotated[EntryProperties, Field(description="Properties of the dataset.")]
    mtime: Annotated[float, Field(description="Time of the last change in Unix seconds.")]
    size: Annotated[Bytes, Field(description="Bytes.")]
    depth: Annotated[int, Field(description="Always 0.")]
    point_geom: Annotated[dict[str, Any] | None, Field(description="Always null.")]
    polygon_geom: Annotated[dict[str, Any] | None, Field(description="Always null.")]


class Enabled(TypedDict):
    """State of a feature."""

    enabled: Annotated[bool, Field(description="True if the feature is enabled.")]


class PasswordRules(TypedDict):
    """Requirements for new passwords."""

    minLength: Annotated[int, Field(description="Minimum number of characters.")]
    requireDigit: Annotated[bool, Field(description="True if a digit is required.")]
    requireUppercase: Annotated[bool, Field(description="True if an upper-case letter is required.")]
    requireLowercase: Annotated[bool, Field(description="True if a lower-case letter is required.")]
    requireNonAlphanumeric: Annotated[bool, Field(description="True if another character is required.")]


class Features(TypedDict):
    """Features of the server."""

    organizationMemberManagement: Annotated[bool, Field(description="True if REST can change the members of orgs.")]
    userManagement: Annotated[bool, Field(description="False with an identity provider.")]
    storageLimiter: Annotated[bool, Field(description="True if storage quotas are enforced.")]
    maxConcurrentDownloadsPerUser: Annotated[int | None, Field(description="Always null: there is no such limit.")]
    disableAnonymousBulkDownloads: Annotated[bool, Field(description="Always false.")]
    passwordPolicy: Annotated[PasswordRules | None, Field(description="Null for no requirements.")]
    datasetThumbnailCandidates: Annotated[list[str], Field(description="Always empty: there are no thumbnails.")]
    maxExportSizeBytes: Annotated[int | None, Field(description="Always null: there is no such limit.")]
    bulkDownloadAsyncThresholdBytes: Annotated[int | None, Field(description="Always null: there is no such limit.")]
    taskTools: Annotated[list[str], Field(description="Always empty: there are no tasks.")]
    taskStates: Annotated[list[str], Field(description="Always empty: there are no tasks.")]
    hubOptions: Annotated[dict[str, Any], Field(description="Always empty.")]
    hubVersion: Annotated[str | None, Field(description="Always null.")]
    registryVersion: Annotated[str, Field(description="Version of Ostiary.")]
    ddbVersion: Annotated[str | None, Field(description="Always null.")]


class PlainText:
    """Plain text instead of JSON."""


def union_sorted(*lists: Iterable[str]) -> list[str]:
    """Return the texts of all lists, sorted and without duplicates."""
    return sorted({text for texts in lists for text in texts})
