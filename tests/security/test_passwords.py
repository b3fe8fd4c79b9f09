"""Tests of password hashing: argon2id in a bounded pool, with the same time for every failure."""

import asyncio
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.config import PasswordPolicy
from app.domain.errors import InvalidInput
from app.security import passwords
from app.security.passwords import ARGON2ID, PasswordHasher, Verification, check_policy

INCORRECT = Verification(ok=False, needs_rehash=False)


@pytest.fixture
async def hasher() -> AsyncIterator[PasswordHasher]:
    hasher = PasswordHasher(threads=2, max_waiting=2)
    yield hasher
    hasher.close()


async def test_a_password_is_stored_as_argon2id_and_known_again(hasher: PasswordHasher) -> None:
    stored = await hasher.hash("correct horse")

    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert stored != await hasher.hash("correct horse")
    assert await hasher.verify("correct horse", stored) == Verification(ok=True, needs_rehash=False)
    assert await hasher.verify("Correct horse", stored) == INCORRECT


SPELLINGS = ["caf\u00e9 au lait", "cafe\u0301 au lait", "\uff43af\u00e9 au lait"]
"""One password, as different keyboards encode it."""


@pytest.mark.parametrize("spelled", SPELLINGS)
async def test_one_password_is_right_however_its_characters_are_spelled(hasher: PasswordHasher, spelled: str) -> None:
    stored = await hasher.hash(spelled)

    for other in SPELLINGS:
        assert await hasher.verify(other, stored) == Verification(ok=True, needs_rehash=False)
    assert await hasher.verify("cafe au lait", stored) == INCORRECT


async def test_a_hash_of_another_spelling_from_before_is_right_as_it_was_sent_and_stale(hasher: PasswordHasher) -> None:
    for spelled in SPELLINGS[1:]:
        stored = str(passwords.ARGON2ID.hash(spelled))

        assert await hasher.verify(spelled, stored) == Verification(ok=True, needs_rehash=True)
        assert await hasher.verify(SPELLINGS[0], stored) == INCORRECT


async def test_the_second_comparison_depends_on_the_password_alone(
    hasher: PasswordHasher, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored, compared = await hasher.hash(SPELLINGS[0]), []

    def counted(password: str, hash_: str | None) -> Verification:
        compared.append(password)
        return INCORRECT

    monkeypatch.setattr(passwords, "_compare", counted)
    for of in (stored, None, "damaged"):
        compared.clear()
        await hasher.verify("wrong", of)
        await hasher.verify("wrong\u0301", of)
        assert compared == ["wrong", passwords.normalize("wrong\u0301"), "wrong\u0301"]


def test_the_length_of_a_password_is_that_of_its_normal_form() -> None:
    policy = PasswordPolicy(min_length=4)

    assert check_policy(policy, "cafe\u0301") == check_policy(policy, "caf\u00e9") == []
    assert check_policy(policy, "fe\u0301\u0301"[:3]) == ["A password needs at least 4 characters."]


@pytest.mark.parametrize("numbers", [{"memory_cost": 8192}, {"time_cost": 1}, {"type": "I"}])
async def test_a_hash_of_another_cost_is_stale_when_the_password_is_right(
    hasher: PasswordHasher, numbers: dict[str, object]
) -> None:
    stored = passwords.ARGON2ID.using(**numbers).hash("correct horse")

    assert await hasher.verify("correct horse", stored) == Verification(ok=True, needs_rehash=True)
    assert await hasher.verify("wrong horse", stored) == INCORRECT


async def test_nobodys_hash_costs_what_a_new_one_costs_and_is_never_right(hasher: PasswordHasher) -> None:
    stored = await hasher.hash("x")

    assert passwords.DUMMY_HASH.rsplit("$", 2)[0] == stored.rsplit("$", 2)[0]
    assert len(passwords.DUMMY_HASH) == len(stored)
    for guess in ("", "x", "password"):
        assert await hasher.verify(guess, None) == INCORRECT


@pytest.mark.parametrize("password", ["", "x" * 1025, "nul\0", "half \ud83d", "\udcff"])
async def test_an_unusable_password_is_refused_when_set_and_wrong_when_tried(
    hasher: PasswordHasher, password: str
) -> None:
    stored = await hasher.hash("nul")

    with pytest.raises(InvalidInput) as caught:
        await hasher.hash(password)

    assert caught.value.path == ()
    assert caught.value.message.startswith("A password ")
    assert await hasher.verify(password, stored) == INCORRECT
    assert await hasher.verify(password, None) == INCORRECT


async def test_1024_characters_of_any_script_are_a_password(hasher: PasswordHasher) -> None:
    longest = "🔑" * 1024

    assert await hasher.verify(longest, await hasher.hash(longest)) == Verification(ok=True, needs_rehash=False)


@pytest.mark.parametrize("stored", ["", "plain", "$2b$12$abcdefghijklmnopqrstuv", "$argon2id$v=19$m=19456,t=2,p=1$a$b"])
async def test_a_damaged_hash_is_wrong_and_logged_without_itself(
    hasher: PasswordHasher, caplog: pytest.LogCaptureFixture, stored: str
) -> None:
    assert await hasher.verify("plain", stored) == INCORRECT
    assert "cannot sign in until the password is reset" in caplog.text
    assert not stored or stored not in caplog.text


class CountedHandler:
    """The handler of argon2id. It keeps the costs of each hash that it verifies."""

    def __init__(self) -> None:
        self.costs: list[str] = []

    def verify(self, password: str, stored: str) -> bool:
        self.costs.append(stored.rsplit("$", 2)[0])
        return bool(ARGON2ID.verify(password, stored))


@pytest.mark.parametrize(
    ("password", "is_known"),
    [("wrong horse", True), ("wrong horse", False), ("x" * 2000, True), ("nul\0", True), ("wrong horse", None)],
    ids=["incorrect", "unknown user", "too long", "with a NUL", "damaged hash"],
)
async def test_unknown_incorrect_and_unusable_cost_one_hash_of_the_same_costs(
    hasher: PasswordHasher, monkeypatch: pytest.MonkeyPatch, password: str, is_known: bool | None
) -> None:
    stored = {True: await hasher.hash("correct horse"), False: None, None: "plain"}[is_known]
    monkeypatch.setattr(passwords, "ARGON2ID", handler := CountedHandler())

    assert await hasher.verify(password, stored) == INCORRECT

    assert handler.costs == ["$argon2id$v=19$m=19456,t=2,p=1"]


class Blocked:
    """Hashing that waits for an event."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.go = threading.Event()
        self.ran = 0
        monkeypatch.setattr(passwords, "hash_password", self.hashed)

    def hashed(self, password: str) -> str:
        self.ran += 1
        assert self.go.wait(10)
        return password


async def started(hasher: PasswordHasher, number: int) -> list[asyncio.Task[str]]:
    tasks = [asyncio.create_task(hasher.hash(f"password {index}")) for index in range(number)]
    await asyncio.sleep(0.05)
    return tasks


async def test_the_event_loop_goes_on_while_threads_hash(
    hasher: PasswordHasher, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocked = Blocked(monkeypatch)
    tasks = await started(hasher, 4)  # two at work, two waiting

    assert blocked.ran == 2
    blocked.go.set()
    assert await asyncio.gather(*tasks) == [f"password {index}" for index in range(4)]


async def test_nothing_is_hashed_for_one_who_has_left(hasher: PasswordHasher, monkeypatch: pytest.MonkeyPatch) -> None:
    blocked = Blocked(monkeypatch)
    tasks = await started(hasher, 4)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)

    later = await started(hasher, 2)
    blocked.go.set()

    assert await asyncio.gather(*later) == ["password 0", "password 1"]
    assert blocked.ran == 4


async def test_closing_finishes_what_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    hasher = PasswordHasher(threads=1, max_waiting=1)
    Blocked(monkeypatch).go.set()
    tasks = await started(hasher, 2)

    hasher.close()

    assert await asyncio.gather(*tasks) == ["password 0", "password 1"]
    with pytest.raises(RuntimeError):
        await hasher.hash("too late")


ALL = PasswordPolicy(
    min_length=8, require_digit=True, require_uppercase=True, require_lowercase=True, require_non_alphanumeric=True
)


@pytest.mark.parametrize(
    ("password", "broken"),
    [
        ("Passw0rd!", []),
        ("Pässwörd٣ ", []),
        ("Passw0rd", ["not a letter or digit"]),
        ("passw0rd!", ["an upper-case letter"]),
        ("PASSW0RD!", ["a lower-case letter"]),
        ("Password!", ["a digit"]),
        ("Pw0!", ["at least 8 characters"]),
        ("", ["at least 8", "a digit", "an upper-case", "a lower-case", "not a letter or digit"]),
    ],
)
def test_every_broken_rule_is_named(password: str, broken: list[str]) -> None:
    sentences = check_policy(ALL, password)

    assert len(sentences) == len(broken)
    assert all(words in sentence for words, sentence in zip(broken, sentences, strict=True))


def test_the_default_policy_asks_for_twelve_characters_and_none_for_nothing() -> None:
    assert check_policy(PasswordPolicy(), "x" * 11) == ["A password needs at least 12 characters."]
    assert check_policy(PasswordPolicy(), "x" * 12) == []
    assert check_policy(PasswordPolicy(min_length=1), "") == ["A password needs at least 1 character."]
    assert check_policy(None, "") == []


def test_importing_and_hashing_warn_of_nothing() -> None:
    code = "from app.security import passwords; passwords._verify('x', passwords.hash_password('x'))"

    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=Path(passwords.__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (run.returncode, run.stderr) == (0, "")
