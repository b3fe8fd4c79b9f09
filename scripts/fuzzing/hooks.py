"""What the fuzzer loads: it keeps its hands off whom it asks as, and finds something every other time."""

import os
from itertools import count
from typing import Any

import schemathesis

ADMINISTRATOR = os.environ["FUZZ_ADMINISTRATOR"].lower()
EXISTING = {"userName": "ann", "orgSlug": "reef", "dsSlug": "corals"}
"""Made by scripts/fuzz. Names made up at random would hardly ever be those of anything."""

ENDS = ("/users", "/users/{userName}", "/orgs/{orgSlug}", "/orgs/{orgSlug}/ds/{dsSlug}")
"""A DELETE there would be the end of what exists."""

calls = count()


@schemathesis.hook
def before_call(context: schemathesis.HookContext, case: schemathesis.Case, kwargs: dict[str, Any]) -> None:
    """Change somebody else than the administrator: a new password or role would end the token; and name what exists."""
    named = EXISTING if next(calls) % 2 and not (case.method == "DELETE" and case.operation.path in ENDS) else {}
    for given in (case.path_parameters, case.body):
        if not isinstance(given, dict):
            continue
        for name, value in given.items():
            if case.method != "GET" and name.lower() == "username" and _is_ours(value):
                given[name] = EXISTING["userName"]
            elif name in named:
                given[name] = named[name]


def _is_ours(value: Any) -> bool:
    return isinstance(value, str) and value.lower() == ADMINISTRATOR
