"""Claims about `ostiary user`: what an operator sees and changes without a browser, under the rules of the API."""

import getpass
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from app import administration, cli
from app.config import Settings

Run = Callable[..., str]
on_sqlite = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
PASSWORD = "corals and currents"
AUDITED = {
    "createUser",
    "createServiceAccount",
    "addRoles",
    "removeRoles",
    "deactivateUser",
    "reactivateUser",
    "deleteUser",
}


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("logging.config.dictConfig", lambda _: None)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command below `user`, which must have an exit code, and return what it prints on that stream."""

    def execute(*arguments: str, code: int = 0) -> str:
        assert cli.main(["user", *arguments]) == code
        captured = capsys.readouterr()
        return captured.err if code else captured.out

    return execute


@pytest.fixture
def registry(settings: Settings) -> Settings:
    """A registry with the first administrator."""
    administration.prepare(settings)
    return settings


def _names(text: str) -> list[str]:
    return [user["userName"] for user in json.loads(text)]


def test_a_user_is_created_shown_changed_and_deleted(registry: Settings, run: Run) -> None:
    created = json.loads(run("create", "Ann", "--email", "ann@example.org", "--no-password", "--json"))
    run("create", "importer", "--service-account", "--role", "user")

    assert "password" not in created
    assert [json.loads(run("show", each, "--json")) for each in ("ANN", created["id"])] == [created] * 2
    assert (created["roles"], created["hasPassword"], created["email"]) == (["user"], False, "ann@example.org")
    assert run("roles", "add", "ann", "ADMIN") == "Ann has the roles admin, user\n"
    assert _names(run("list", "--role", "Admin", "--json")) == ["admin", "Ann"]
    assert run("roles", "remove", "ann", "user", "admin") == "Ann has no role\n"
    assert run("deactivate", "ann") == "Ann is deactivated\n"
    assert _names(run("list", "--deactivated", "--json")) == ["Ann"]
    assert json.loads(run("activate", "ann", "--json"))["isDeactivated"] is False
    assert json.loads(run("delete", "ann", "--successor", "admin", "--json")) == {
        "userName": "Ann",
        "successor": "admin",
        "orgsTransferred": 0,
        "resourcesTransferred": 0,
        "orgsWithoutOwner": 0,
        "resourcesWithoutOwner": 0,
    }
    assert [line.split()[0] for line in run("list").splitlines()] == ["admin", "importer"]
    events = administration.list_audit(registry, {}, 100)
    assert {event["action"] for event in events} == AUDITED
    assert {(event["actorId"], event["channel"]) for event in events} == {(None, "COMMAND")}


OWNED = """
version: 1
users: [{userName: ann}, {userName: bob}, {userName: cleo}]
orgs: [{slug: reef, name: Reef, owner: ann}, {slug: bay, name: Bay}]
resources:
  - {org: reef, slug: corals, type: DATASET, name: Corals, owner: ann}
  - {org: bay, slug: sand, type: DATASET, name: Sand, owner: ann}
  - {org: bay, slug: shells, type: DATASET, name: Shells, owner: bob}
"""


@on_sqlite
def test_a_deletion_says_what_has_no_owner_now(registry: Settings, run: Run) -> None:
    Path("owned.yaml").write_text(OWNED)
    assert cli.main(["apply", "owned.yaml"]) == 0
    run("list")
    hint = "an administrator can transfer them (next time, name a new owner with --successor)"

    assert run("delete", "cleo") == "deleted cleo\n"
    assert run("delete", "bob") == f"deleted bob; 1 resource has no owner now: {hint}\n"
    assert run("create", "bob", "--no-password")
    assert run("delete", "ann", "--successor", "bob") == "deleted ann; bob received 1 org and 2 resources\n"
    assert run("delete", "bob") == f"deleted bob; 1 org and 2 resources have no owner now: {hint}\n"


REFUSED = {
    "deactivate admin": "left without an active administrator",
    "delete admin": "left without an active administrator",
    "roles remove admin admin": "left without an active administrator",
    "roles add admin nothing": "There is no role `nothing`",
    "list --role nothing": "There is no role `nothing`",
    "show nemo": "there is no user nemo",
    "show VXNlcjo5OTk5": "there is no user VXNlcjo5OTk5",
    "delete admin --successor nemo": "there is no user nemo",
    "create ADMIN --no-password": "The user name `ADMIN` is taken",
    "create a-b --no-password": "user name",
    "create bob --no-password --role nothing": "There is no role `nothing`",
}


def test_a_refused_change_says_why_and_changes_nothing(registry: Settings, run: Run) -> None:
    before = run("list", "--json")

    for command, problem in REFUSED.items():
        assert problem in run(*command.split(), code=1), command
    assert run("list", "--json") == before
    assert len(administration.list_audit(registry, {}, 100)) == 1


@on_sqlite
def test_passwords_come_from_a_stream_or_are_shown_once(
    registry: Settings, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = run("create", "ann")
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{PASSWORD}\nnot the password"))
    assert run("create", "bob", "--stdin") == "created bob with the role user\n"
    monkeypatch.setattr(sys, "stdin", io.StringIO("short\n"))
    assert "at least" in run("create", "eve", "--stdin", code=1)
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{PASSWORD}\n"))
    assert "needs a terminal" in run("create", "eve", "--prompt", code=1)

    generated = text.rpartition("shown once: ")[2].strip()
    assert len(generated) >= 24
    assert PASSWORD not in run("show", "bob")
    assert [user["hasPassword"] for user in json.loads(run("list", "--json"))] == [True] * 3


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@on_sqlite
def test_a_prompt_asks_twice(registry: Settings, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([PASSWORD, "another one", PASSWORD, PASSWORD])
    monkeypatch.setattr(sys, "stdin", _Terminal())
    monkeypatch.setattr(getpass, "getpass", lambda _: next(answers))

    assert "the two passwords differ" in run("create", "ann", "--prompt", code=1)
    assert _names(run("list", "--json")) == ["admin"]
    run("create", "ann", "--prompt")
    assert _names(run("list", "--json")) == ["admin", "ann"]


@on_sqlite
def test_a_list_that_is_cut_says_so(registry: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    cli.main(["user", "create", "zoe", "--no-password"])
    capsys.readouterr()

    assert cli.main(["user", "list", "--limit", "1", "--json"]) == 0
    captured = capsys.readouterr()
    assert _names(captured.out) == ["admin"]
    assert "there are more than 1 user; set --limit" in captured.err


@on_sqlite
def test_an_identity_provider_manages_the_users(registry: Settings, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OSTIARY_EXTERNAL_AUTH_URL", "https://auth.example.org/check")

    for command in ("create ann", "deactivate admin", "activate admin", "delete admin", "roles add admin user"):
        assert "the identity provider manages the users" in run(*command.split(), code=2)
    assert run("list").split()[0] == "admin"


def test_a_list_without_entries_says_whether_there_are_any(settings: Settings, run: Run) -> None:
    assert run("list") == "there are no users\n"
    assert run("list", "--deactivated") == run("list", "--role", "admin") == "no user matches\n"


def test_a_password_is_reset_by_name_or_id(registry: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    for user in ("ADMIN", administration.show_user(registry, "admin")["id"]):
        assert cli.main(["admin", "reset-password", user]) == 0
        assert capsys.readouterr().out.startswith("all sessions of admin have ended\nthe new password of admin, shown")


@pytest.mark.parametrize(
    "command",
    [
        "admin reset-password nosuch",
        "user show nosuch",
        "user deactivate nosuch",
        "user activate nosuch",
        "user delete nosuch",
        "user delete admin --successor nosuch",
        "user roles add nosuch admin",
        "user roles remove nosuch admin",
        "explain nosuch reef/corals",
    ],
)
@on_sqlite
def test_a_user_who_is_not_there_is_named_alike(
    registry: Settings, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(command.split()) == 1
    assert capsys.readouterr().err == "ostiary: there is no user nosuch: give a name or an id\n"


def test_a_user_is_not_their_own_successor(registry: Settings, run: Run) -> None:
    user = json.loads(run("show", "admin", "--json"))["id"]
    for arguments in (("admin", "Admin"), (user, "admin")):
        said = run("delete", arguments[0], "--successor", arguments[1], code=1)
        assert said == "ostiary: --successor must be another user\n"
