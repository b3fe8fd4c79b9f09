"""Claims about `ostiary completion`: its script completes what the parsers have, in a real shell where there is one."""

import shutil
import subprocess

import pytest

from app import cli

CASES = {
    "ostiary au": {"audit"},
    "ostiary audit ": {"list", "export", "verify", "prune", "forget", "--help"},
    "ostiary audit ver": {"verify"},
    "ostiary audit verify --he": {"--head", "--help"},
    "ostiary audit prune --before 2026-01-01 --j": {"--json"},
    "ostiary --settings audit": {"audit"},
    "ostiary import ": {"dronedb", "provena", "--help"},
    "ostiary completion ": {"bash", "zsh", "fish"},
    "ostiary user ro": {"roles"},
    "ostiary user roles ": {"add", "remove"},
    "ostiary user create --no": {"--no-password"},
}


def _script(shell: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert cli.main(["completion", shell]) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("line", CASES)
def test_bash_completes_commands_and_options(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = line.split(" ")
    array = " ".join(f"'{word}'" for word in words)
    test = f"COMP_WORDS=({array}); COMP_CWORD={len(words) - 1}; _ostiary; printf '%s\\n' \"${{COMPREPLY[@]}}\""

    ran = subprocess.run(
        ["/bin/bash", "-c", f"{_script('bash', capsys)}\n{test}"], capture_output=True, text=True, check=True
    )

    assert CASES[line] <= set(ran.stdout.split())
    assert all(word.startswith(words[-1]) for word in ran.stdout.split())
    assert ran.stderr == ""


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_is_one_of_the_shell(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    script = _script(shell, capsys)

    assert all(word in script for word in ("verify", "--before", "reset-password", "--workers"))
    if (program := shutil.which(shell)) is not None:
        subprocess.run([program, "-n"], input=script, text=True, check=True)
