"""The access matrix: who may do what with a resource, as data. Tests ask each row in every way.

Roles are letters: r METADATA_READ, w METADATA_WRITE, d DATASET_DATA_READ, u DATASET_DATA_WRITE, a ADMIN. Implications
come before what a type lacks is taken away: to read data, where there is none, still means to see.
"""

from dataclasses import dataclass, field

from app.domain.resource_roles import MemberLevel

LETTERS = {"r": "METADATA_READ", "w": "METADATA_WRITE", "d": "DATASET_DATA_READ", "u": "DATASET_DATA_WRITE"}
LETTERS |= {"a": "ADMIN"}
BITS = {letter: 1 << at for at, letter in enumerate(LETTERS)}


@dataclass(frozen=True)
class Asker:
    """A user, their roles on a resource with data and on one without, and their level in its org.

    The other fields are the causes: grants (in letters), memberships and roles of the system. `late` names those
    that have ended: "grant", "group", "org". `sees_all`: every resource with its configuration, whatever the roles;
    `asks`: who can reach a resource.
    """

    name: str
    dataset: str = ""
    model: str = ""
    org: str = ""
    general: str = ""
    anyone: str = ""
    user: str = ""
    groups: tuple[str, ...] = ()
    manages_groups: bool = False
    level: MemberLevel | None = None
    owns: str = ""
    registry: tuple[str, ...] = ()
    late: str = ""
    is_nobody: bool = field(default=False, kw_only=True)
    is_gone: bool = field(default=False, kw_only=True)
    sees_all: bool = field(default=False, kw_only=True)
    asks: bool = field(default=False, kw_only=True)

    @property
    def is_above_grants(self) -> bool:
        """Check that ADMIN comes from ownership, the org or a permission, which no grant can give."""
        is_org_admin = self.level is MemberLevel.ADMIN and self.late != "org"
        return bool(self.owns) or is_org_admin or "registrar" in self.registry


ALL, BARE = "rwdua", "rwa"
SURVEYOR = ("resources_view",)

ASKERS = (
    Asker("nobody", is_nobody=True),
    Asker("nobody, where anyone may see", "r", "r", anyone="r", is_nobody=True),
    Asker("nobody, where anyone may read data", "rd", "r", anyone="d", is_nobody=True),
    Asker("a stranger"),
    Asker("a stranger, where anyone may see", "r", "r", anyone="r"),
    Asker("a stranger, where the grant to anyone has ended", anyone="r", late="grant"),
    Asker(
        "the deactivated owner and administrator", owns="resource org", registry=("admin", "deactivated"), is_gone=True
    ),
    Asker("a deactivated user, where anyone may see", anyone="r", registry=("deactivated",), is_gone=True),
    Asker("a general user: r", "r", "r", general="r"),
    Asker("a general user: w", "rw", "rw", general="w"),
    Asker("a general user: d", "rd", "r", general="d"),
    Asker("a general user: u", "rdu", "r", general="u"),
    Asker("a general user: a", ALL, BARE, general="a"),
    Asker("a general user, ended", general="a", late="grant"),
    Asker("a group member: r", "r", "r", groups=("r",)),
    Asker("a group member: w", "rw", "rw", groups=("w",)),
    Asker("a group member: d", "rd", "r", groups=("d",)),
    Asker("a group member: u", "rdu", "r", groups=("u",)),
    Asker("a group member: a", ALL, BARE, groups=("a",)),
    Asker("a member of two groups", "rwd", "rw", groups=("w", "d")),
    Asker("a member of a group without roles", groups=("",)),
    Asker("a former group member", groups=("a",), late="group"),
    Asker("a member of a group whose grant has ended", groups=("a",), late="grant"),
    Asker("a group manager", "rw", "rw", groups=("w",), manages_groups=True),
    Asker("a manager of a group without roles", groups=("",), manages_groups=True),
    Asker("a former group manager", groups=("a",), manages_groups=True, late="group"),
    Asker("a grantee: r", "r", "r", user="r"),
    Asker("a grantee: w", "rw", "rw", user="w"),
    Asker("a grantee: d", "rd", "r", user="d"),
    Asker("a grantee: u", "rdu", "r", user="u"),
    Asker("a grantee: a", ALL, BARE, user="a"),
    Asker("a grantee of everything but administration", "rwdu", "rw", user="wu"),
    Asker("a former grantee", user="a", late="grant"),
    Asker("an org member who reads", "rd", "r", "sees", level=MemberLevel.READ_ONLY),
    Asker("an org member who writes", "rwdu", "rw", "writes", level=MemberLevel.READ_WRITE),
    Asker("an org member who deletes", "rwdu", "rw", "deletes", level=MemberLevel.READ_WRITE_DELETE),
    Asker("an org's administrator", ALL, BARE, "deletes", level=MemberLevel.ADMIN),
    Asker("an org's reader with a grant", "rwd", "rw", "sees", level=MemberLevel.READ_ONLY, user="w"),
    Asker("a former org member who wrote", level=MemberLevel.READ_WRITE, late="org"),
    Asker("an org's former administrator", level=MemberLevel.ADMIN, late="org"),
    Asker(
        "an org's former administrator, where all may see", "r", "r", level=MemberLevel.ADMIN, general="r", late="org"
    ),
    Asker("the org's owner", ALL, BARE, "deletes", owns="org"),
    Asker("the resource's owner", ALL, BARE, owns="resource"),
    Asker("RESOURCES_MANAGE", ALL, BARE, "sees", registry=("registrar",), sees_all=True),
    Asker("RESOURCES_VIEW", "", "", "sees", registry=SURVEYOR, sees_all=True),
    Asker(
        "RESOURCES_VIEW, where all may read",
        "rd",
        "r",
        "sees",
        general="d",
        registry=SURVEYOR,
        sees_all=True,
    ),
    Asker("ACCESS_VIEW", registry=("access_view",), asks=True),
    Asker("ACCESS_VIEW, where all may see", "r", "r", registry=("access_view",), general="r", asks=True),
    Asker(
        "ACCESS_VIEW, RESOURCES_VIEW",
        "",
        "",
        "sees",
        registry=("access_view", *SURVEYOR),
        sees_all=True,
        asks=True,
    ),
    Asker("GROUPS_VIEW", registry=("groups_view",)),
    Asker("ORGS_MANAGE", "", "", "deletes", registry=("orgs_manage",)),
    Asker("ORGS_MANAGE, where all may see", "r", "r", "deletes", registry=("orgs_manage",), general="r"),
    Asker("GROUPS_MANAGE", registry=("groups_manage",)),
)


@dataclass(frozen=True)
class Change:
    """A change: the role that it needs, the effect of a lock, and other rights that allow it.

    `in_org`: the level in the org that is enough for a user who sees the resource. `when`: the state of the lock that
    it needs. `by_nobody`: an anonymous viewer may make it, where anyone holds the role. `by_grant`: a role by a grant
    is enough. `and_writes`: who does not administer all resources needs to write in the org as well.
    """

    needs: str
    locks_out: bool = False
    in_org: str = ""
    when: bool | None = None
    by_nobody: bool = False
    by_grant: bool = True
    and_writes: bool = False


CHANGES = {
    "updateResource": Change("w", locks_out=True),
    "patchResourceMetadata": Change("w", locks_out=True),
    "renameResource": Change("w", locks_out=True, and_writes=True),
    "transferResource": Change("a", locks_out=True, by_grant=False),
    "deleteResource": Change("a", locks_out=True, in_org="deletes"),
    "deleteResources": Change("a", locks_out=True, in_org="deletes"),
    "submitAccess": Change("a"),
    "grantAccess": Change("a"),
    "grantAccessBatch": Change("a"),
    "revokeAccess": Change("a"),
    "revokeAccessBatch": Change("a"),
    "lockResource": Change("a", when=False),
    "unlockResource": Change("a", when=True),
    "beginUpload": Change("u", locks_out=True),
    "beginDownload": Change("d", by_nobody=True),
}


def outcome(asker: Asker, change: Change, holds: str, *, locked: bool) -> str:
    """Hidden is not found; seen may be forbidden; permitted may be locked."""
    if asker.is_nobody and not (change.by_nobody and change.needs in holds):
        return "UNAUTHENTICATED"
    if not (holds or asker.sees_all):
        return "NOT_FOUND"
    if change.needs not in holds and not (change.in_org and change.in_org == asker.org):
        return "FORBIDDEN"
    writes = asker.org in {"writes", "deletes"} or "registrar" in asker.registry
    if not (change.by_grant or asker.is_above_grants) or (change.and_writes and not writes):
        return "FORBIDDEN"
    if change.locks_out and locked:
        return "LOCKED"
    return "OK" if change.when in {None, locked} else "CONFLICT"


def creation(asker: Asker) -> str:
    """Return the outcome of `createResource` in the org, by the level of the user in it."""
    if asker.is_nobody:
        return "UNAUTHENTICATED"
    return {"": "NOT_FOUND", "sees": "FORBIDDEN"}.get(asker.org, "OK")
