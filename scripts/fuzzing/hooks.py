"""The hooks of the fuzzer: protection of its own account, and existing objects in each second request."""

import os
from itertools import count
from typing import Any

import schemathesis

ADMINISTRATOR = os.environ["FUZZ_ADMINISTRATOR"].lower()
EXISTING = {"userName": "ann", "orgSlug": "reef", "dsSlug": "corals"}
"""Objects that scripts/fuzz creates. Random names would hardly ever match an object."""

ENDS = ("/users", "/users/{userName}", "/orgs/{orgSlug}", "/orgs/{orgSlug}/ds/{dsSlug}")
"""Paths where a DELETE would remove the existing objects."""

calls = count()


@schemathesis.hook
def before_call(context: schemathesis.HookContext, case: schemathesis.Case, kwargs: dict[str, Any]) -> None:
    """Change another user than the administrator, whose token must stay valid, and name existing objects."""
    named = EXISTING if next(calls) % 2 and not (case.method == "DELETE" and case.operation.path in ENDS) else {}
    for inputs in (case.path_parameters, case.body):
        if not isinstance(inputs, dict):
            continue
        for name, value in inputs.items():
            if case.method != "GET" and name.lower() == "username" and _is_ours(value):
                inputs[name] = EXISTING["userName"]
            elif name in named:
                inputs[name] = named[name]


def _is_ours(value: Any) -> bool:
    return isinstance(value, str) and value.lower() == ADMINISTRATOR
