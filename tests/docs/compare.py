"""Compares a printed answer with a real one.

`…` stands for what differs from run to run. A number has no such mark: those of `VARYING_NUMBERS` differ by their name.
"""

import re
from typing import Any

ELSE = "…"

VARYING_NUMBERS = {"expires", "mtime", "durationMs"}
"""Times, whose printed numbers are examples: only the real value must be a number too."""


def is_same_json(printed: Any, real: Any) -> bool:
    """Compare JSON: keys and their order count; a text may end with `…`, and so may a list, as its last item."""
    if isinstance(printed, str) and printed.endswith(ELSE):
        return str(real).startswith(printed.removesuffix(ELSE))
    if isinstance(printed, dict) and isinstance(real, dict):
        return list(printed) == list(real) and all(
            _is_same_value(key, value, real[key]) for key, value in printed.items()
        )
    if isinstance(printed, list) and isinstance(real, list):
        return _is_same_list(printed, real)
    return type(printed) is type(real) and bool(printed == real)


def _is_same_value(key: str, printed: Any, real: Any) -> bool:
    are_numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in (printed, real))
    return (are_numbers and key in VARYING_NUMBERS) or is_same_json(printed, real)


def _is_same_list(printed: list[Any], real: list[Any]) -> bool:
    if printed and printed[-1] == ELSE:
        printed = printed[:-1]
        real = real[: len(printed)]
    return len(printed) == len(real) and all(map(is_same_json, printed, real))


def is_same_text(printed: str, real: str) -> bool:
    """Compare text by lines; `…` stands for any part of a line, and a line of it alone for any number of lines."""
    pattern = "".join(_line_pattern(line) for line in printed.strip().splitlines())
    return re.fullmatch(pattern, "".join(f"{line.rstrip()}\n" for line in real.strip().splitlines())) is not None


def _line_pattern(line: str) -> str:
    if line.strip() == ELSE:
        return r"(?:[^\n]*\n)*?"
    return "[^\n]*".join(re.escape(part) for part in line.rstrip().split(ELSE)) + "\n"
