"""What the words of paths mean, and made-up values, so that a reader sees what a call looks like."""

from typing import Any

WORDS = {
    "userName": "A user name, in any letter case.",
    "roleName": "A role's name, in any letter case.",
    "orgSlug": "An org's slug, in any letter case.",
    "dsSlug": "A dataset's slug in its org, in any letter case.",
}
"""What the `{words}` of paths mean."""

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
}
"""By the name of the word or field. What is a secret of somebody else's, as another provider's token, has none."""

DOCUMENT = {"maxStorageMB": 500, "roles": ["user"]}
"""A body whose names are its own: the metadata of a user."""
