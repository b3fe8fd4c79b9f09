"""Orgs, groups and resources of a generated world, and the relations of users to them."""

from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from random import Random
from string import ascii_letters, digits
from typing import Any

from tests.oracle.naive.lists import Row
from tests.oracle.naive.rights import ALL, LEVELS, OF_DATA, READ, listed

BEGINNING = datetime(2024, 2, 29, 23, 59, 59, 999_999, tzinfo=UTC)
MOMENTS = [BEGINNING + timedelta(days=days, microseconds=days) for days in (0, 1, 1, 300)]
"""Few, so that many rows were made at the same moment."""

ENDS = [None, MOMENTS[1], datetime(2200, 1, 1, tzinfo=UTC), datetime(2300, 1, 1, tzinfo=UTC)]
"""Never, long ago, in a long time, and later still."""

BUILT_IN = {"DATASET": True} | dict.fromkeys(
    ("MODEL", "MODEL_RUN", "WORKFLOW", "STUDY", "PERSON", "ORGANISATION"), False
)
OF_OWN = {"SPECIMEN": True}
TYPES: list[Row] = [
    {"__typename": "ResourceType", "key": at, "name": name, "hasData": has_data, "isBuiltIn": name in BUILT_IN}
    for at, (name, has_data) in enumerate((BUILT_IN | OF_OWN).items(), 1)
]
TITLES = ("Reef", "reef", "Élan", "Tide", "zenith", "Ägir")
"""Few, so that names meet, with and without regard to letter case."""


@dataclass(frozen=True)
class Numbers:
    """The numbers of objects of each type."""

    orgs: int
    groups: int
    resources: int


@dataclass
class Maker:
    """A generator of random rows; `people` has a key as often as its weight."""

    random: Random
    people: Sequence[int]

    def some(self, maximum: int) -> list[int]:
        """Return a few users."""
        return list(dict.fromkeys(self.random.choices(self.people, k=self.random.randint(0, maximum))))

    def anybody(self) -> int | None:
        return self.random.choice([None, *self.random.choices(self.people, k=3)])

    def named(self) -> str | None:
        """Return the stored name of a user whose account may be deleted."""
        return self.random.choice([None, "Ann", "bob"])

    def titled(self, kind: str, key: int, title: str) -> Row:
        """Return the common fields. The slug ends in the key, so it is unique."""
        name = self.random.choice(TITLES) + self.random.choice(["", "", "", f" {key % 3}"])
        slug = f"{self.random.choice(['sea', 'air', 'ice'])}-{key}"
        more = {"description": f"About {key}", "createdAt": self.random.choice(MOMENTS), "revision": key % 7 + 1}
        return {"__typename": kind, "key": key, "slug": slug, title: name, **more}

    def keys(self, number: int) -> list[int]:
        return self.random.sample(range(1, 2**31 - 1), number)

    def org(self, key: int) -> Row:
        owner = self.anybody()
        members = {
            person: {
                "level": self.random.choice(list(LEVELS)),
                "addedAt": self.random.choice(MOMENTS),
                "addedBy": self.anybody(),
                "addedByName": self.named(),
                "expiresAt": self.random.choice(ENDS),
            }
            for person in self.some(6)
            if person != owner
        }
        public = self.random.random() < 0.4
        quota = key % 1_000 if key % 3 else None  # no random draw, so that worlds stay what they were
        more = {"isPublic": public, "owner": owner, "members": members, "quotaBytes": quota}
        return {**self.titled("Org", key, "name"), **more}

    def group(self, key: int) -> Row:
        members = {
            person: {
                "isManager": self.random.random() < 0.3,
                "addedAt": self.random.choice(MOMENTS),
                "addedBy": self.anybody(),
                "addedByName": self.named(),
                "group": key,
                "expiresAt": self.random.choice(ENDS),
            }
            for person in self.some(10)
        }
        seen_by = self.random.choice(("MEMBERS", "MEMBERS", "SIGNED_IN"))
        return {**self.titled("Group", key, "displayName"), "membersSeenBy": seen_by, "members": members}

    def resource(self, key: int, orgs: Sequence[Row], groups: Sequence[Row], numbers: "count[int]") -> Row:
        kind = self.random.choice([*TYPES[:2] * 3, *TYPES])
        return {
            **self.titled("Resource", key, "name"),
            "type": kind["name"],
            "metadata": {"depth": key, "tags": ["ü"]},
            "sizeBytes": self.random.choice([0, 1, 2**52 + 1]),
            "updatedAt": self.random.choice(MOMENTS),
            "org": self.random.choice(orgs)["key"],
            "owner": self.anybody(),
            "accessRevision": self.random.randint(1, 9),
            "lock": self.random.choice([None, self.reasoned()]),
            "history": [
                {"key": next(numbers), "action": self.random.choice(("LOCK", "UNLOCK")), **self.reasoned()}
                for _ in range(self.random.choice([0, 0, 1, 4]))
            ],
            "grants": list(self.grants(ALL if kind["hasData"] else ALL - OF_DATA, groups, numbers)),
        }

    def reasoned(self) -> Row:
        return {"reason": "Because.", "createdAt": self.random.choice(MOMENTS), **self.done_by()}

    def done_by(self) -> Row:
        return {"user": self.anybody(), "userName": self.named()}

    def grants(self, full: frozenset[str], groups: Sequence[Row], numbers: "count[int]") -> Any:
        """Return the entry of all signed-in users, and some of groups and users."""
        some = [
            group["key"]
            for group in self.random.sample(groups, self.random.randint(min(1, len(groups)), min(3, len(groups))))
        ]
        subjects = [("GENERAL", 0), *(("GROUP", key) for key in some), *(("USER", key) for key in self.some(3))]
        subjects += [("ANYONE", 0)] if self.random.random() < 0.4 else []
        for kind, subject in subjects:
            allowed = listed(full & READ if kind == "ANYONE" else full)
            few = self.random.sample(allowed, self.random.choice([0, 0, 1, 1, 1, 2])) if len(allowed) > 1 else allowed
            end = self.random.choice(ENDS)
            granted = {"grantedAt": self.random.choice([None, *MOMENTS]), "grantedBy": self.anybody()}
            entry = {"roles": listed(few), "expiresAt": end, **granted, "grantedByName": self.named()}
            yield {"key": next(numbers), "kind": kind, "subject": subject, **entry}

    def ticket(self, resource: Row) -> Row:
        """Return a ticket; only a download may have no user."""
        kind = self.random.choice(("UPLOAD", "UPLOAD", "DOWNLOAD"))
        somebody = self.random.choice(self.people)
        return {
            "__typename": "Ticket",
            "key": "".join(self.random.choices(ascii_letters + digits + "-_", k=32)),
            "kind": kind,
            "resource": resource["key"],
            "user": self.random.choice([somebody, None]) if kind == "DOWNLOAD" else somebody,
            "sizeBytes": self.random.choice([0, 1, 2**52 + 1]),
            "stage": self.random.choice(["OPEN"] * 4 + (["FINISHED", "CANCELLED"] if kind == "UPLOAD" else [])),
            "createdAt": self.random.choice(MOMENTS),
            "expiresAt": self.random.choice(ENDS[1:]),
        }

    def event(self, key: int, things: Sequence[Row], numbers: "count[int]") -> Row:
        """Return an event with changes of objects that may be deleted, by a user or by the system."""
        actor, is_gone = self.anybody(), self.random.random() < 0.2
        some = self.random.sample(things, self.random.randint(0, min(4, len(things))))
        about = [(row["__typename"], row["key"], row["slug"]) for row in some]
        about += [("Resource", 7, "gone")] if is_gone else []
        return {
            "__typename": "AuditEvent",
            "key": key,
            "createdAt": self.random.choice(MOMENTS),
            "action": self.random.choice(("grantAccess", "updateResource", "login")),
            "actor": actor,
            "actorName": None if actor is None else f"Actor{actor % 7}",
            "channel": self.random.choice(("GRAPHQL", "REST", "COMMAND")),
            "address": self.random.choice((None, "192.0.2.7")),
            "requestId": self.random.choice((None, f"request-{key}")),
            "changes": [self.done(kind, key, name, next(numbers)) for kind, key, name in about],
        }

    def done(self, kind: str, key: int, name: str, number: int) -> Row:
        """Return the change of one object; it may be its creation or deletion."""
        values = self.random.choice(((None, {"name": "new"}), ({"name": "old"}, {"name": "new"}), ({"x": [1]}, None)))
        return {
            "key": number,
            "of": (kind, key),
            "objectType": kind.upper(),
            "objectName": name,
            "objectId": urlsafe_b64encode(f"{kind}:{key}".encode()).decode().rstrip("="),
            "before": values[0],
            "after": values[1],
        }


def things(random: Random, people: Sequence[int], numbers: Numbers) -> dict[str, list[Row]]:
    """Return rows of each type in these numbers."""
    maker, places = Maker(random, people), count(1)
    orgs = [maker.org(key) for key in maker.keys(numbers.orgs)]
    groups = [maker.group(key) for key in maker.keys(numbers.groups)]
    resources = [maker.resource(key, orgs, groups, places) for key in maker.keys(numbers.resources)]
    tickets = [maker.ticket(random.choice(resources)) for _ in range(numbers.resources)]
    about = [*orgs, *groups, *resources]
    events = [maker.event(key, about, places) for key in maker.keys(numbers.resources)]
    return {"Org": orgs, "Group": groups, "Resource": resources, "Ticket": tickets, "AuditEvent": events}
