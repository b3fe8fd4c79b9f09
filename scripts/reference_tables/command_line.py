"""Tables of the command line, from its parser."""

import argparse
from collections.abc import Iterator

from app import cli
from scripts.reference_tables.markdown import code, table

Named = tuple[str, str, argparse.ArgumentParser]


def commands() -> str:
    """Return every command with what it does."""
    return table(["command", "does"], [[code(name), about] for name, about, _ in leaf_commands()])


def options() -> str:
    """Return every option and argument of every command."""
    rows = [
        [code(name), code(_written(action)), _default(action), _about(action)]
        for name, _, parser in leaf_commands()
        for action in parser._actions  # noqa: SLF001 - argparse has no other way to ask
        if not isinstance(action, argparse._HelpAction | argparse._SubParsersAction)  # noqa: SLF001 - the same
    ]
    return table(["command", "option", "default", "meaning"], rows)


def leaf_commands() -> Iterator[Named]:
    """Yield every command that does something: its name with `ostiary`, its summary and its parser."""
    yield from _below(cli._parser(), "ostiary")  # noqa: SLF001 - the parser is made for the command alone


def _below(parser: argparse.ArgumentParser, name: str) -> Iterator[Named]:
    """Yield the commands of a parser; one that only holds others is left out."""
    for action in parser._actions:  # noqa: SLF001 - argparse has no other way to ask
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001 - the same
            for choice in action._choices_actions:  # noqa: SLF001 - the same
                command = action.choices[choice.dest]
                inner = list(_below(command, f"{name} {choice.dest}"))
                yield from inner or [(f"{name} {choice.dest}", choice.help or "", command)]


def _written(action: argparse.Action) -> str:
    if not action.option_strings:
        return str(action.metavar or action.dest)
    value = "" if action.nargs == 0 else f" {action.metavar or action.dest.upper()}"
    return f"{', '.join(action.option_strings)}{value}"


def _default(action: argparse.Action) -> str:
    is_plain = action.default in (None, False, argparse.SUPPRESS)
    return "" if is_plain else code(str(action.default))


def _about(action: argparse.Action) -> str:
    return (action.help or "").replace(" (%(default)s)", "")
