"""Descriptions of path parameters, and example values for the OpenAPI description."""

from typing import Any

WORDS = {
    "userName": "A user name, in any letter case.",
    "roleName": "A role's name, in any letter case.",
    "orgSlug": "An org's slug, in any letter case.",
    "dsSlug": "A dataset's slug in its org, in any letter case.",
}
"""Descriptions of the path parameters."""

VALUES: dict[str, Any] = {
    "username": "ann",
    "userName": "ann",
    "password": "coral reefs at noon",
    "oldPassword": "coral reefs at noon",
    "currentPassword": "coral reefs at noon",
    "newPassword": "tides and currents",
    "email": "ann@example.com",
    "roles": ["user"],
    "roleName": "editors",
    "successor": "bob",
    "conflictResolution": "Rename",
    "orgSlug": "reef",
    "orgSlugs": ["reef"],
    "permissions": 1,
    "slug": "reef",
    "name": "Reef",
    "description": "Where the corals are.",
    "isPublic": False,
    "owner": "bob",
    "ownedOnly": True,
    "includePublic": True,
    "dsSlug": "corals",
    "tagline": "What grows at the reef.",
    "visibility": 1,
    "includeThumbnailCheck": False,
    "key": "tagline",
    "data": '"What grows at the reef."',
    "attrs": '{"public": true}',
    "sourceOrgSlug": "reef",
    "destinationOrgSlug": "lagoon",
    "datasetSlugs": ["corals"],
    "deleteSourceOrganization": True,
}
"""Example values by the name of the parameter or field. Provider tokens have none."""

DOCUMENT = {"maxStorageMB": 500, "roles": ["user"]}
"""Example of a free-form body: the metadata of a user."""
