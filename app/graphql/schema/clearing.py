"""Clearing of optional values by an update: the enum values of `clear` say which values become absent."""

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any

from app.domain.errors import InvalidInput
from app.services import validation


def cleared(clear: Sequence[Enum] | None, values: Mapping[str, Any]) -> frozenset[str]:
    """Return the names of the fields to clear; raise Problems for each that has a new value as well.

    The values of the enum are the names of the fields in the input; `values` has their new values, None for none.
    """
    names = frozenset(str(each.value) for each in clear or ())
    validation.raise_problems(
        [
            InvalidInput(f"`{name}` has a new value and is in `clear`. Send one of them.", (name,))
            for name, value in values.items()
            if name in names and value is not None
        ]
    )
    return names
