"""API tokens of a generated world, which some viewers use."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from random import Random

from app.security import api_token_format
from tests.oracle.naive.lists import Row
from tests.oracle.worlds.entities import BEGINNING, ENDS, MOMENTS

ALWAYS: Sequence[str] = ("USERS_VIEW", "USERS_MANAGE", "ORGS_MANAGE", "GROUPS_MANAGE", "RESOURCES_MANAGE")
CARRIED: Mapping[str, tuple[str, Sequence[str], bool]] = {
    "plain by a token": ("plain", (), False),
    "admin by a bare token": ("admin", (), False),
    "admin by a full token": ("admin", ALWAYS, False),
    "inspecting, limited": ("inspecting", ("ACCESS_VIEW", "RESOURCES_VIEW"), True),
    "checking by a token": ("checking", ("ACCESS_VIEW",), False),
    "plain, limited": ("plain", ("ORGS_MANAGE", "RESOURCES_MANAGE"), True),
    "keeping, limited": ("keeping", ("ORGS_MANAGE",), True),
    "admin, limited": ("admin", ("USERS_VIEW", "RESOURCES_MANAGE"), True),
    "admin, limited and bare": ("admin", (), True),
}
"""The viewers with a token: its owner, its permissions, and its limit to some orgs and resources."""

LATER = datetime(2300, 1, 1, tzinfo=UTC)
"""The last use of each token; it is in the future, so that a use changes nothing."""


def tokens(random: Random, cast: Mapping[str, Row], things: Mapping[str, Sequence[Row]]) -> dict[str, Row]:
    """Return a token for each of these viewers, with its secret."""
    by_kind = {}
    for at, (kind, (owner, carried, limited)) in enumerate(CARRIED.items(), 1):
        token = api_token_format.generate()
        end = random.choice([each for each in ENDS if each is None or each > MOMENTS[3]])
        by_kind[kind] = {
            "__typename": "ApiToken",
            "key": at,
            "name": random.choice(("Reef", "Ägir", "zenith")) + f" {kind}",
            "prefix": api_token_format.prefix(token),
            "secret": token,
            "user": cast[owner]["key"],
            "permissions": list(carried),
            "isLimited": limited,
            "orgs": _some(random, things["Org"]) if limited else [],
            "resources": _some(random, things["Resource"]) if limited else [],
            "createdAt": BEGINNING,
            "expiresAt": end,
            "lastUsedAt": LATER,
        }
    return by_kind


def _some(random: Random, rows: Sequence[Row]) -> list[int]:
    """Return a third of all rows, or none."""
    return sorted(row["key"] for row in random.sample(rows, random.choice([0, (len(rows) + 2) // 3])))
