"""The shapes of answers, as the documented API spells them; the OpenAPI description is made from these."""

from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import Field
from typing_extensions import TypedDict  # typing's own is good enough for pydantic from Python 3.12 on

Moment = Annotated[str, Field(json_schema_extra={"format": "date-time"}, description="ISO 8601 in UTC, with a Z.")]
UserName = Annotated[str, Field(description="Letters and digits, 1 to 127; from an external provider also - . _ @ +.")]
Email = Annotated[str | None, Field(description="Null when there is none.")]
RoleNames = Annotated[list[str], Field(description="What she holds, by name.")]
Slugs = Annotated[list[str], Field(description="Slugs of the orgs that she owns or belongs to and the asker sees.")]
Bytes = Annotated[int, Field(ge=0)]
Level = Annotated[
    int, Field(ge=0, le=3, description="0 read only, 1 read and write, 2 also delete, 3 also manage members.")
]


class Error(TypedDict):
    """Why something was refused."""

    error: Annotated[str, Field(description="For people; several reasons are divided by |.")]
    noRetry: Annotated[bool, Field(description="Whether asking again as the same user is useless.")]


class Session(TypedDict):
    """A token, and whose it is."""

    token: Annotated[str, Field(description="Send it as Authorization: Bearer.")]
    expires: Annotated[str | int, Field(description="As `expiresAt`; in Unix seconds with the setting DroneDbClients.")]
    expiresAt: Moment
    username: UserName
    userName: UserName
    email: Email
    roles: RoleNames


class User(TypedDict):
    """Somebody who signs in."""

    userName: UserName
    email: Email
    roles: RoleNames
    organizations: Slugs


class DetailedUser(TypedDict):
    """A user with what she stores."""

    id: Annotated[str, Field(description="Her id in GraphQL.")]
    userName: UserName
    email: Email
    roles: RoleNames
    organizations: Slugs
    storageQuota: Annotated[Bytes | None, Field(description="Bytes she may store; null for no limit.")]
    storageUsed: Annotated[Bytes, Field(description="Bytes in the orgs that she owns, with open uploads.")]
    organizationCount: Annotated[int, Field(description="Of the orgs in `organizations`.")]
    datasetCount: Annotated[int, Field(description="Of the datasets in these orgs that the asker sees.")]
    createdDate: Moment


class Deleted(TypedDict):
    """What became of a user and of what she owned."""

    userName: UserName
    successor: Annotated[str | None, Field(description="Who owns now what she owned; null for nobody.")]
    organizationsTransferred: Annotated[int, Field(description="Orgs that went to the successor.")]
    organizationsDeleted: Annotated[int, Field(description="Always 0: orgs stay.")]
    datasetsTransferred: Annotated[int, Field(description="Resources that went to the successor.")]
    datasetsDeleted: Annotated[int, Field(description="Always 0: resources stay.")]
    batchesDeleted: Annotated[int, Field(description="Always 0: there are none.")]
    datasetResults: Annotated[list[dict[str, Any]], Field(description="Always empty: no slug was in the way.")]


class Storage(TypedDict):
    """How much somebody stores, and may store."""

    total: Annotated[Bytes | None, Field(description="Bytes she may store; null for no limit.")]
    used: Annotated[Bytes, Field(description="Bytes in the orgs that she owns, with open uploads.")]


class OrgRights(TypedDict):
    """What the asker may do with an org."""

    canRead: Annotated[bool, Field(description="Always true: who is shown an org reads it.")]
    canWrite: Annotated[bool, Field(description="Whether she edits it and makes datasets in it.")]
    canDelete: Annotated[bool, Field(description="Whether she deletes it.")]
    canManageMembers: Annotated[bool, Field(description="Whether she changes who belongs to it.")]


class _Org(TypedDict):
    slug: Annotated[str, Field(description="Its name in paths.")]
    name: Annotated[str, Field(description="The name people see.")]
    description: Annotated[str, Field(description="For people; may be empty.")]
    creationDate: Moment
    owner: Annotated[str | None, Field(description="User name of the owner; null for nobody.")]
    isPublic: Annotated[bool, Field(description="Whether everybody sees it.")]


class Org(_Org):
    """An org."""

    permissions: Annotated[OrgRights | None, Field(description="What the asker may do; null for nobody.")]


class UserOrg(_Org):
    """An org, as one that a user owns or belongs to."""

    isOwner: Annotated[bool, Field(description="Whether she owns it; else she is a member.")]
    permissions: Annotated[Level | None, Field(description="Her level; null for its owner.")]
    grantedAt: Annotated[Moment | None, Field(description="When her membership last changed.")]
    grantedBy: Annotated[str | None, Field(description="User name of who did that.")]


class Member(TypedDict):
    """Somebody who belongs to an org."""

    userName: UserName
    email: Annotated[str | None, Field(description="Null when there is none, or for who may not see it.")]
    permissions: Level
    grantedAt: Moment
    grantedBy: Annotated[str | None, Field(description="User name of who did that; null when unknown.")]


class _Fact(TypedDict):
    id: Annotated[int, Field(description="Always 0.")]
    mtime: Annotated[float, Field(description="When the dataset last changed, in Unix seconds.")]


class Words(_Fact):
    """A text of a dataset."""

    data: Annotated[str, Field(description="The text.")]


class Openness(_Fact):
    """How far a dataset is opened."""

    data: Annotated[
        int, Field(ge=0, le=2, description="0 private, 1 for every signed-in user, 2 for anyone, signed in or not.")
    ]


class Meta(TypedDict):
    """What is known of a dataset."""

    name: Annotated[Words, Field(description="The name people see.")]
    visibility: Annotated[Openness, Field(description="How far it is opened.")]
    tagline: Annotated[Words, Field(description="Its description.")]


class Properties(TypedDict):
    """What a dataset is."""

    entries: Annotated[int, Field(description="What the metadata says under `entries`; else 0.")]
    public: Annotated[bool, Field(description="Whether `visibility` is 2.")]
    meta: Annotated[Meta, Field(description="What is known of it.")]


class DatasetRights(TypedDict):
    """What the asker may do with a dataset."""

    canRead: Annotated[bool, Field(description="Whether she downloads it.")]
    canWrite: Annotated[bool, Field(description="Whether she uploads to it and edits it.")]
    canDelete: Annotated[bool, Field(description="Whether she deletes it.")]


class Dataset(TypedDict):
    """A dataset."""

    slug: Annotated[str, Field(description="Its name in paths; unique in its org.")]
    creationDate: Moment
    properties: Annotated[Properties, Field(description="What it is.")]
    size: Annotated[Bytes, Field(description="Bytes.")]
    permissions: Annotated[DatasetRights, Field(description="What the asker may do.")]
    hasThumbnail: Annotated[None, Field(description="Always null: there are no thumbnails.")]


class EntryProperties(Properties):
    """What a dataset is, and what the asker may do with it."""

    permissions: Annotated[DatasetRights, Field(description="What the asker may do.")]


class Entry(TypedDict):
    """A dataset as an entry of a list of files."""

    path: Annotated[str, Field(description="ddb://host/org/dataset, or ddb+unsafe:// where the server speaks http.")]
    hash: Annotated[None, Field(description="Always null.")]
    type: Annotated[int, Field(description="Always 7, a dataset.")]
    properties: Annotated[EntryProperties, Field(description="What it is.")]
    mtime: Annotated[float, Field(description="When it last changed, in Unix seconds.")]
    size: Annotated[Bytes, Field(description="Bytes.")]
    depth: Annotated[int, Field(description="Always 0.")]
    point_geom: Annotated[None, Field(description="Always null.")]
    polygon_geom: Annotated[None, Field(description="Always null.")]


class Enabled(TypedDict):
    """Whether something is on."""

    enabled: Annotated[bool, Field(description="Whether it is on.")]


class PasswordRules(TypedDict):
    """What a new password must have."""

    minLength: Annotated[int, Field(description="Characters that it has at least.")]
    requireDigit: Annotated[bool, Field(description="Whether it needs a digit.")]
    requireUppercase: Annotated[bool, Field(description="Whether it needs an upper-case letter.")]
    requireLowercase: Annotated[bool, Field(description="Whether it needs a lower-case letter.")]
    requireNonAlphanumeric: Annotated[bool, Field(description="Whether it needs another character than these.")]


class Features(TypedDict):
    """What the server does."""

    organizationMemberManagement: Annotated[bool, Field(description="Whether REST changes the members of orgs.")]
    userManagement: Annotated[bool, Field(description="False with an external provider.")]
    storageLimiter: Annotated[bool, Field(description="Whether quotas are enforced.")]
    maxConcurrentDownloadsPerUser: Annotated[int | None, Field(description="Always null: there is no such limit.")]
    disableAnonymousBulkDownloads: Annotated[bool, Field(description="Always false.")]
    passwordPolicy: Annotated[PasswordRules | None, Field(description="Null demands nothing.")]
    datasetThumbnailCandidates: Annotated[list[str], Field(description="Always empty: there are no thumbnails.")]
    maxExportSizeBytes: Annotated[int | None, Field(description="Always null: there is no such limit.")]
    bulkDownloadAsyncThresholdBytes: Annotated[int | None, Field(description="Always null: there is no such limit.")]
    taskTools: Annotated[list[str], Field(description="Always empty: there are no tasks.")]
    taskStates: Annotated[list[str], Field(description="Always empty: there are no tasks.")]
    hubOptions: Annotated[dict[str, Any], Field(description="Always empty.")]
    hubVersion: Annotated[str | None, Field(description="Always null.")]
    registryVersion: Annotated[str, Field(description="The version of Ostiary.")]
    ddbVersion: Annotated[str | None, Field(description="Always null.")]


class PlainText:
    """Text, and no JSON."""


def united(*lists: Iterable[str]) -> list[str]:
    """The words of several lists, each once, sorted."""
    return sorted({word for words in lists for word in words})
