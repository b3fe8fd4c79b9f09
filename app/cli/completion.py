"""The command `completion`: a script that completes commands and options in a shell, made from the parsers."""

import argparse
from collections.abc import Iterator

from app.cli.common import Subparsers, add_command

SHELLS = ("bash", "zsh", "fish")

BASH = """\
_ostiary() {{
    local path="" words="" word at
    for ((at = 1; at < COMP_CWORD; at++)); do
        word="${{COMP_WORDS[at]}}"
        case " $(_ostiary_words "$path") " in
            *" $word "*) case "$word" in -*) ;; *) path="${{path:+$path }}$word" ;; esac ;;
        esac
    done
    words="$(_ostiary_words "$path")"
    COMPREPLY=($(compgen -W "$words" -- "${{COMP_WORDS[COMP_CWORD]}}"))
}}
_ostiary_words() {{
    case "$1" in
{cases}
    esac
}}
complete -o default -F _ostiary ostiary
"""

ZSH = "#compdef ostiary\nautoload -U +X bashcompinit && bashcompinit\n" + BASH

FISH_PATH = "__fish_seen_subcommand_from"


def add_all(commands: Subparsers, parser: argparse.ArgumentParser) -> None:
    """Add `completion` for the commands of a parser."""
    completion = add_command(commands, "completion", "print a script that completes commands in a shell", _print)
    completion.add_argument("shell", choices=SHELLS, help="shell that reads the script: bash, zsh or fish")
    completion.set_defaults(parser=parser)


def _print(arguments: argparse.Namespace) -> None:
    words = dict(_words(arguments.parser, ""))
    print(
        _fish(words) if arguments.shell == "fish" else _bash(words, ZSH if arguments.shell == "zsh" else BASH), end=""
    )


def _words(parser: argparse.ArgumentParser, path: str) -> Iterator[tuple[str, list[str]]]:
    """Yield the words that may follow on each command, which is given by its names; "" is no command."""
    inner: dict[str, argparse.ArgumentParser] = {}
    words: list[str] = []
    for action in parser._actions:  # noqa: SLF001 - argparse has no public list of them
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001 - the same
            inner |= action.choices
        elif action.option_strings:
            words += [option for option in action.option_strings if option.startswith("--")]
        elif action.choices:
            words += map(str, action.choices)
    yield path, [*inner, *words]
    for name, command in inner.items():
        yield from _words(command, f"{path} {name}".strip())


def _bash(words: dict[str, list[str]], template: str) -> str:
    cases = (f'        "{path}") echo "{" ".join(each)}" ;;' for path, each in words.items())
    return template.format(cases="\n".join(cases))


def _fish(words: dict[str, list[str]]) -> str:
    lines = ["complete -c ostiary -e"]
    for path, each in words.items():
        names = path.split()
        condition = "; and ".join(f"{FISH_PATH} {name}" for name in names) or "__fish_use_subcommand"
        if path in {key.rpartition(" ")[0] for key in words if " " in key}:
            inner = " ".join(key.rpartition(" ")[2] for key in words if key.rpartition(" ")[0] == path)
            condition += f"; and not {FISH_PATH} {inner}"
        lines += [f"complete -c ostiary -n '{condition}' -a '{word}'" for word in each]
    return "\n".join(lines) + "\n"
