"""Claims about explanations of access in words: they agree with the checks, and name every path."""

import json
from datetime import UTC, datetime

import pytest
from sqlalchemy import Integer, bindparam, select

from app import administration, cli, db
from app.config import Settings
from app.db.tables import Resource, User, col
from app.domain import resource_roles
from app.domain.errors import OstiaryError
from app.domain.resource_roles import MemberLevel
from app.domain.viewer import SYSTEM, Permission
from app.services import checks
from app.services.app_context import AppContext
from app.services.explanations import Explanation, explain
from tests.support.factories import Make

ENDED = datetime(2020, 1, 1, tzinfo=UTC)
LATER = datetime(2099, 1, 1, tzinfo=UTC)
NONE = "no grant, membership or ownership gives it"


_NAMES = (
    select(col(User.user_name), col(Resource.path))
    .select_from(User)
    .join(Resource, col(Resource.id) == bindparam("resource", type_=Integer()))
    .where(col(User.id) == bindparam("user", type_=Integer()))
)


def words(explanation: Explanation) -> dict[str, tuple[bool, list[str]]]:
    return {each.role: (each.is_held, each.reasons) for each in explanation.roles}


async def test_each_path_to_a_role_has_its_words(make: Make, database: db.Database) -> None:
    ann, lab = await make.user("ann"), await make.org("lab")
    reef = await make.resource(lab, slug="reef", general=resource_roles.METADATA_READ)
    divers = await make.group("divers", ann)
    await make.grant(reef, divers, resource_roles.DATA_READ)
    await make.grant(reef, ann, resource_roles.METADATA_WRITE, expires_at=LATER)
    await make.member(lab, ann, MemberLevel.READ_ONLY)

    explanation = await explain(database, "ANN", "lab/Reef")

    assert (explanation.user, explanation.resource) == ("ann", "lab/reef")
    said = words(explanation)
    group = "the grant of DATASET_DATA_READ to the group divers"
    own = "a grant of METADATA_WRITE to the user until 2099-01-01T00:00:00Z"
    general, level = "the grant of METADATA_READ to every signed-in user", "the level READ_ONLY in the org lab"
    assert said["METADATA_READ"] == (True, [general, group, own, level])
    assert said["METADATA_WRITE"] == (True, [own])
    assert said["DATASET_DATA_READ"] == (True, [group, level])
    assert not said["ADMIN"][0]
    assert "the grant to the group divers does not include it" in said["ADMIN"][1]
    assert words(await explain(database, ann.node, reef.node)) == said


async def test_each_denial_has_its_words(make: Make, database: db.Database) -> None:
    ann, gone = await make.user("ann"), await make.user("gone", "deactivated")
    owner, registrar = await make.user("owner"), await make.holder(Permission.RESOURCES_MANAGE, "registrar")
    org = await make.org("lab")
    reef = await make.resource(org, slug="reef", owner=owner, general=None)
    await make.grant(reef, ann, resource_roles.ADMIN, expires_at=ENDED)
    paper = await make.resource(org, "STUDY", slug="paper", general=None)

    ended = words(await explain(database, "ann", "lab/reef"))
    assert set(map(str, ended.values())) == {str((False, ["a grant to the user ended at 2020-01-01T00:00:00Z"]))}
    assert words(await explain(database, "gone", reef.node))["ADMIN"] == (False, ["the user is deactivated"])
    assert words(await explain(database, "owner", "lab/reef"))["ADMIN"] == (True, ["ownership of the resource"])
    manages = (True, ["the permission RESOURCES_MANAGE"])
    assert words(await explain(database, "registrar", "lab/reef"))["ADMIN"] == manages
    study = words(await explain(database, ann.node, paper.node))
    assert study["DATASET_DATA_READ"] == (False, ["resources of this type do not have this role"])
    assert study["ADMIN"] == (False, [NONE])
    assert gone.id != registrar.id
    for user, resource in [("nobody", "lab/reef"), ("ann", "lab/nothing"), ("ann", ann.node)]:
        with pytest.raises(OstiaryError, match="there is no"):
            await explain(database, user, resource)


def test_explanations_of_a_world_agree_with_the_checks(
    settings: Settings, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("logging.config.dictConfig", lambda _: None)
    administration.prepare(settings)
    administration.fill(settings)

    async def compare(app: AppContext) -> int:
        different = 0
        for user in range(2, 8):
            for resource in range(1, 300, 60):
                refs = ("id", user), ("id", resource)
                names = await app.database.ask(_NAMES, freshness=db.Freshness.PRIMARY, user=user, resource=resource)
                explanation = await explain(app.database, *names[0])
                for bit, role in zip(resource_roles.BITS, explanation.roles, strict=True):
                    is_held = await checks.check_access(app.database, SYSTEM, *refs, bit)
                    different += is_held != role.is_held or not role.reasons
        return different

    assert administration._with_context(settings, compare) == 0
    path = administration._with_context(settings, _first)[1]
    assert cli.main(["explain", "admin", path, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["user"], said["resource"]) == ("admin", path)
    assert said["roles"][-1]["role"] == "ADMIN"
    assert "the permission RESOURCES_MANAGE" in said["roles"][-1]["reasons"]
    assert cli.main(["explain", "admin", path]) == 0
    assert capsys.readouterr().out.startswith(f"admin on {path}:\n  METADATA_READ      yes  ")
    assert cli.main(["explain", "nobody", path]) == 1
    assert capsys.readouterr().err == "ostiary: there is no user nobody: give a name or an id\n"


async def _first(app: AppContext) -> tuple[str, str]:
    row = (await app.database.ask(_NAMES, freshness=db.Freshness.PRIMARY, user=1, resource=1))[0]
    return row[0], row[1]
