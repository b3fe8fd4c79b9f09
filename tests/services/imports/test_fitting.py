"""What fits into a registry that has accounts of its own, or whose accounts an identity provider manages."""

from datetime import UTC, datetime
from typing import Any

import pytest

from app.services.imports.fitting import Fit, fit_into
from app.services.imports.translation import Translation, UnreadableSource
from app.services.state.model import Kind, Location, Reader, State

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HASH = "pbkdf2_sha256$1000$seasalt2$WfEEbSrr4U/JR+3ROKL6RK+1mL7gIsgHCBP7UdKMnoU="
ROLES: list[dict[str, Any]] = [{"name": name, "permissions": []} for name in ("admin", "user", "deactivated")]


def registry(*users: dict[str, Any]) -> State:
    """Return a registry with the built-in roles and some users."""
    reader = Reader()
    for role in ROLES:
        reader.add("role", role, Location(""))
    for user in users:
        account: dict[str, Any] = {
            "roles": ["user"],
            "email": None,
            "displayName": None,
            "isServiceAccount": False,
            "metadata": {},
        }
        reader.add("user", {**account, **user}, Location(""))
    assert reader.faults == []
    return reader.state


def source(**sections: list[dict[str, Any]]) -> Translation:
    translation = Translation()
    for kind, values in sections.items():
        for value in values:
            translation.add(kind, value)
    return translation


def fit(current: State, moved: Translation, *, externally_managed: bool = False) -> Fit:
    return fit_into(current, moved, NOW, externally_managed=externally_managed)


def test_a_user_who_is_here_keeps_the_password_and_the_roles() -> None:
    current = registry({"userName": "Ann", "roles": ["user", "deactivated"], "passwordHash": HASH}, {"userName": "bob"})
    users = [{"userName": name, "roles": ["user"], "passwordHash": HASH} for name in ("ann", "bob", "carl")]

    fitted = fit(current, source(user=users))

    assert {change.key: change.fields for change in fitted.plan.changes_of(Kind.USER) if change.before is not None} == {
        ("bob",): ("passwordHash",)
    }
    assert [change.key for change in fitted.plan.changes_of(Kind.USER) if change.before is None] == [("carl",)]
    assert (fitted.unchanged_passwords, fitted.misfits) == (1, [])


def test_with_an_identity_provider_only_what_refers_to_known_users_comes() -> None:
    users = [{"userName": "ann", "email": "ann@example.org"}, {"userName": "eve"}]
    orgs = [{"slug": "reef", "name": "Reef", "owner": "ann", "members": [{"user": "eve", "level": "ADMIN"}]}]

    fitted = fit(registry({"userName": "ann"}), source(user=users, org=orgs), externally_managed=True)

    assert [change.kind for change in fitted.plan.changes] == [Kind.ORG]
    assert [misfit.thing for misfit in fitted.misfits] == ["member eve of org reef"]


def test_nobody_who_is_left_out_takes_the_address_of_another() -> None:
    users = [{"userName": "bob.lee", "email": "lee@example.org"}, {"userName": "ann", "email": "lee@example.org"}]

    fitted = fit(registry(), source(user=users))

    assert [misfit.thing for misfit in fitted.misfits] == ["user bob.lee"]
    assert [user["email"] for user in fitted.sections["users"]] == ["lee@example.org"]


def test_a_grant_to_every_signed_in_user_that_cannot_be_leaves_no_access() -> None:
    current = registry()
    for kind, value in (("resourceType", {"name": "MODEL", "hasData": False}), ("org", {"slug": "sea", "name": "Sea"})):
        reader = Reader()
        reader.add(kind, value, Location(""))
        current.items |= reader.state.items
    model: dict[str, Any] = {"org": "sea", "slug": "waves", "type": "MODEL", "name": "Waves"}
    model["grants"] = {"general": {"roles": ["DATASET_DATA_READ"]}}

    fitted = fit(current, source(resource=[model]))

    assert [str(misfit).partition(":")[0] for misfit in fitted.misfits] == [
        "grant to every signed-in user on resource sea/waves"
    ]
    assert [change.after["roles"] for change in fitted.plan.changes_of(Kind.GRANT) if change.after is not None] == [0]


def test_the_last_administrator_stays_one() -> None:
    current = registry({"userName": "admin", "roles": ["admin"]})

    assert fit(current, source(user=[{"userName": "admin", "roles": ["user"]}])).misfits == []
    with pytest.raises(UnreadableSource, match="without an active administrator"):
        fit(current, source(user=[{"userName": "admin", "roles": ["deactivated"]}]))
