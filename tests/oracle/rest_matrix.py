"""The table of every REST route: the request, and the users who may send it; the others are refused."""

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, field
from typing import Any

from app import rest
from app.domain.resource_roles import MemberLevel
from app.rest.routing import AuthMode, Route
from tests.support.factories import PASSWORD, Entity, Make, Person

ROUTES: Mapping[tuple[str, str], Route] = {(route.method, route.path): route for route in rest.TABLE}
FRESH = "another horse another staple"
LEVELS = tuple(MemberLevel.__members__)
"""Members of the org of the path, by what they may."""

NOBODY, STRANGER, SELF, OWNER, ADMIN = "nobody", "a stranger", "the user", "the owner", "an administrator"
SIGNED_IN = frozenset({STRANGER, SELF, *LEVELS, OWNER, ADMIN})
MEMBERS = frozenset({*LEVELS, OWNER, ADMIN})
WRITERS = MEMBERS - {"READ_ONLY"}
DELETERS = WRITERS - {"READ_WRITE"}
MANAGERS = DELETERS - {"READ_WRITE_DELETE"}
ADMINS = frozenset({ADMIN})
ANYONE = SIGNED_IN | {NOBODY}


@dataclass(frozen=True)
class Scene:
    """The objects of a path: a user, an org with its owner and a member of each level, a dataset in it, an empty
    org, and a role.

    `number` is in every name, so that scenes do not meet.
    """

    number: int
    user: Person
    owner: Person
    org: Entity
    members: Mapping[str, Person]

    @property
    def words(self) -> dict[str, str]:
        """Return the values of the `{words}` of a path."""
        number = self.number
        return {
            "userName": self.user.user_name,
            "orgSlug": self.org.slug,
            "dsSlug": f"ds{number}",
            "roleName": f"role {number}",
        }


InputOf = Callable[[Scene], dict[str, Any]]


def _nothing(scene: Scene) -> dict[str, Any]:
    return {}


@dataclass(frozen=True)
class Row:
    """A route: the users who may use it, its input, and the membership of the user of the path in its org.

    For `outsiders` the object of the path does not exist. A call with `once` cannot succeed twice in one scene.
    """

    may: Set[str]
    input: InputOf = _nothing
    joined: bool = False
    outsiders: Set[str] = frozenset()
    once: bool = False


@dataclass(frozen=True)
class Asker:
    """A user who sends a request: the user whose outcome they share, and their headers.

    A bad token is looked at only where somebody is asked for one, a revoked one everywhere; a foreign page changes
    nothing.
    """

    like: str
    headers: Mapping[str, str] = field(default_factory=dict)
    is_bad: bool = False
    is_revoked: bool = False
    is_foreign: bool = False


def outcome(key: tuple[str, str], asker: Asker) -> int:
    """The status: a bad token, a change from elsewhere, nobody, hidden, forbidden, in this order; or a success."""
    route, row = ROUTES[key], ROWS[key]
    if route.auth_mode is AuthMode.NONE:
        return 401 if asker.is_revoked else route.status
    if asker.is_bad or asker.is_revoked:
        return 401
    if asker.is_foreign and route.method != "GET":
        return 403
    if asker.like in row.may:
        return route.status
    if asker.like == NOBODY and route.auth_mode is AuthMode.REQUIRED:
        return 401
    return 404 if asker.like in row.outsiders else 403


async def scene(make: Make, number: int, *, joined: bool = False) -> Scene:
    """A scene with a number of its own."""
    user, owner, *people = await make.users([f"u{number}x{name}" for name in range(6)], ["user"])
    org = await make.org(f"org{number}", owner)
    members = dict(zip(LEVELS, people, strict=True))
    for name, person in members.items():
        await make.member(org, person, MemberLevel[name])
    if joined:
        await make.member(org, user, MemberLevel.READ_ONLY)
    await make.resource(org, general=0, slug=f"ds{number}")
    await make.org(f"empty{number}", owner)
    await make.role(f"role {number}")
    return Scene(number, user, owner, org, members)


def _of_org(may: Set[str], input_of: InputOf = _nothing, *, joined: bool = False, once: bool = False) -> Row:
    """Return a row about a private org, which only its members see; `joined` adds the user of the path."""
    outsiders = {NOBODY, STRANGER} | (set() if joined else {SELF})
    return Row(may, input_of, joined, frozenset(outsiders), once)


def _login(scene: Scene) -> dict[str, Any]:
    return {"username": scene.user.user_name, "password": PASSWORD}


def _new_user(scene: Scene) -> dict[str, Any]:
    return {"userName": f"new{scene.number}", "password": FRESH}


def _named(scene: Scene) -> dict[str, Any]:
    return {"userName": scene.user.user_name}


def _level(scene: Scene) -> dict[str, Any]:
    return {"permissions": 2}


def _new(scene: Scene) -> dict[str, Any]:
    return {"slug": f"new{scene.number}", "name": "New"}


def _own_org(scene: Scene) -> dict[str, Any]:
    """Return the org of the path and an empty one."""
    return {
        "sourceOrgSlug": scene.org.slug,
        "destinationOrgSlug": f"empty{scene.number}",
        "conflictResolution": "Rename",
    }


ROWS: Mapping[tuple[str, str], Row] = {
    ("POST", "/users/authenticate"): Row(ANYONE, _login),
    ("POST", "/users/authenticate/refresh"): Row(SIGNED_IN),
    ("PUT", "/users/{userName}/changepwd"): Row(ADMINS, lambda _: {"newPassword": FRESH}),
    ("POST", "/users"): Row(ADMINS, _new_user, once=True),
    ("GET", "/users"): Row(ADMINS),
    ("GET", "/users/detailed"): Row(ADMINS),
    ("PUT", "/users/{userName}"): Row(ADMINS, lambda scene: {"email": f"new{scene.number}@b.example", "roles": []}),
    ("DELETE", "/users/{userName}"): Row(ADMINS, once=True),
    ("DELETE", "/users"): Row(ADMINS, _named, once=True),
    ("GET", "/users/roles"): Row(SIGNED_IN),
    ("POST", "/users/roles"): Row(ADMINS, lambda scene: {"roleName": f"new {scene.number}"}, once=True),
    ("DELETE", "/users/roles/{roleName}"): Row(ADMINS, once=True),
    ("GET", "/users/storage"): Row(SIGNED_IN),
    ("GET", "/users/{userName}/storage"): Row(ADMINS),
    ("GET", "/users/meta"): Row(SIGNED_IN),
    ("GET", "/users/{userName}/meta"): Row(ADMINS),
    ("POST", "/users/{userName}/meta"): Row(ADMINS, lambda scene: {"number": scene.number}),
    ("PATCH", "/users/{userName}/meta"): Row(ADMINS, lambda scene: {"number": scene.number}),
    ("GET", "/users/{userName}/orgs"): Row(ADMINS),
    ("PUT", "/users/{userName}/orgs"): Row(ADMINS, lambda scene: {"orgSlugs": [scene.org.slug]}),
    ("POST", "/users/{userName}/orgs"): Row(ADMINS, lambda scene: {"orgSlug": scene.org.slug}, once=True),
    ("PUT", "/users/{userName}/orgs/{orgSlug}"): Row(ADMINS, _level, joined=True),
    ("DELETE", "/users/{userName}/orgs/{orgSlug}"): Row(ADMINS, joined=True, once=True),
    ("GET", "/users/management-enabled"): Row(ANYONE),
    ("GET", "/orgs"): Row(ANYONE),
    ("GET", "/orgs/public"): Row(ANYONE),
    ("GET", "/orgs/{orgSlug}"): _of_org(MEMBERS),
    ("POST", "/orgs"): Row(SIGNED_IN, _new, once=True),
    ("PUT", "/orgs/{orgSlug}"): _of_org(WRITERS, lambda scene: {"name": f"New {scene.number}"}),
    ("DELETE", "/orgs/{orgSlug}"): _of_org(DELETERS, once=True),
    ("GET", "/orgs/{orgSlug}/members"): _of_org(MEMBERS),
    ("POST", "/orgs/{orgSlug}/members"): _of_org(MANAGERS, _named, once=True),
    ("PUT", "/orgs/{orgSlug}/members/{userName}"): _of_org(MANAGERS, _level, joined=True),
    ("DELETE", "/orgs/{orgSlug}/members/{userName}"): _of_org(MANAGERS | {SELF}, joined=True, once=True),
    ("GET", "/orgs/features/member-management"): Row(ANYONE),
    ("GET", "/orgs/{orgSlug}/ds"): _of_org(MEMBERS),
    ("GET", "/orgs/{orgSlug}/ds/{dsSlug}"): _of_org(MEMBERS),
    ("GET", "/orgs/{orgSlug}/ds/{dsSlug}/ex"): _of_org(MEMBERS),
    ("POST", "/orgs/{orgSlug}/ds"): _of_org(WRITERS, _new, once=True),
    ("PUT", "/orgs/{orgSlug}/ds/{dsSlug}"): _of_org(WRITERS, lambda scene: {"name": f"New {scene.number}"}),
    ("POST", "/orgs/{orgSlug}/ds/{dsSlug}/meta/set"): _of_org(WRITERS, lambda _: {"key": "name", "data": '"New"'}),
    ("POST", "/orgs/{orgSlug}/ds/{dsSlug}/chattr"): _of_org(MANAGERS, lambda _: {"attrs": '{"public": true}'}),
    ("POST", "/orgs/{orgSlug}/ds/{dsSlug}/rename"): _of_org(
        WRITERS, lambda scene: {"slug": f"other{scene.number}"}, once=True
    ),
    ("DELETE", "/orgs/{orgSlug}/ds/{dsSlug}"): _of_org(DELETERS, once=True),
    ("POST", "/sys/move-datasets"): _of_org(
        ADMINS, lambda scene: {**_own_org(scene), "datasetSlugs": [scene.words["dsSlug"]]}, once=True
    ),
    ("POST", "/sys/merge-organizations"): _of_org(ADMINS, _own_org, once=True),
    ("GET", "/sys/features"): Row(ANYONE),
    ("GET", "/version"): Row(ANYONE),
    ("GET", "/sys/version"): Row(SIGNED_IN),
    # Last, since it ends every token of the user who sends it.
    ("POST", "/users/changepwd"): Row(SIGNED_IN, lambda _: {"oldPassword": PASSWORD, "newPassword": FRESH}),
}
