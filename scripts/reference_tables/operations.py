"""Tables of what an operator and a REST client use: settings, permissions, REST operations."""

from app import rest
from app.config import HIDDEN, Settings
from app.graphql.schema.directives import Permission
from app.rest.routing import AuthMode
from scripts.reference_tables.markdown import code, table

DEFAULT_ADMIN_PASSWORD = "password"  # noqa: S105 - the documented default
"""`describe` hides it, as it hides every secret."""

_SIGN_IN = {AuthMode.NONE: "not asked", AuthMode.OPTIONAL: "optional", AuthMode.REQUIRED: "required"}


def settings() -> str:
    """Return every setting with its variable, its default and its meaning."""
    described = Settings().describe().items()
    rows = [
        [code(key), code(each.variable), code(each.value.replace(HIDDEN, DEFAULT_ADMIN_PASSWORD)), each.description]
        for key, each in described
    ]
    return table(["key", "variable", "default", "meaning"], rows)


def permissions() -> str:
    """Return every permission with what it allows."""
    return table(["permission", "allows"], [[code(each.name), each.__dict__["description"]] for each in Permission])


def rest_operations() -> str:
    """Return every REST operation by section."""
    parts = []
    for section in rest.SECTIONS:
        rows = [
            [code(route.method), code(route.path), _SIGN_IN[route.auth_mode], route.description]
            for route in section.routes
        ]
        parts.append(f"### {section.name}\n\n{section.about}\n\n{table(['method', 'path', 'sign-in', 'does'], rows)}")
    return "\n\n".join(parts)
