"""The pages of the console, filled in for each answer: the address of the server, and a nonce for style elements."""

from html import escape
from secrets import token_urlsafe
from urllib.parse import quote

from starlette.responses import Response
from starlette.types import Scope

from app.http.responses import NO_STORE

HEADERS = {"Vary": "Accept", "Referrer-Policy": "same-origin", "X-Frame-Options": "DENY", **NO_STORE}
MEDIA_TYPE = "text/html"

BASE_HREF = "__BASE_HREF__"
NONCE = "__CSP_NONCE__"
"""The texts in a page that are replaced. The element `base` has the first, a `meta` element the second."""

NONCE_BYTES = 16

CONSOLE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)
GRAPHIQL_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self' data:; connect-src 'self'; worker-src 'self'; base-uri 'self'; form-action 'self'; "
    "frame-ancestors 'none'"
)
"""Monaco, the editor of GraphiQL, sets style attributes and loads a worker. A nonce would disable 'unsafe-inline'."""

MISSING_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

WHAT, API = "__WHAT__", "__API__"
MISSING = f"""<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>Ostiary</title>
  </head>
  <body>
    <h1>{WHAT} is not built</h1>
    <p>Run <code>scripts/setup</code> in the folder of the source code, and start the server again.</p>
    <p>The APIs work without it: <a href="{BASE_HREF}{API}">GraphQL</a>, <a href="{BASE_HREF}openapi">REST</a>.</p>
  </body>
</html>
"""
UNAVAILABLE = 503
"""The status of a page without a build: a monitor of `/` learns that something is missing."""


def base_href(scope: Scope) -> str:
    """Return the path below which a browser finds this server. No other place of the console knows a prefix."""
    return f"{quote(scope.get('root_path', ''))}/"


def console_page(page: str, scope: Scope) -> Response:
    """Return the one page of the console."""
    return _fill(page, scope, CONSOLE_POLICY)


def graphiql_page(page: str, scope: Scope) -> Response:
    """Return GraphiQL."""
    return _fill(page, scope, GRAPHIQL_POLICY)


def missing_page(scope: Scope) -> Response:
    """Return the page that says how to build the console."""
    return _missing("The web console", "graphql", scope)


def missing_graphiql_page(scope: Scope) -> Response:
    """Return the page that says how to build GraphiQL. The API is at this very address: it leads to the schema."""
    return _missing("GraphiQL", "schema.graphql", scope)


def _missing(what: str, api: str, scope: Scope) -> Response:
    return _fill(MISSING.replace(WHAT, what).replace(API, api), scope, MISSING_POLICY, UNAVAILABLE)


def _fill(page: str, scope: Scope, policy: str, status: int = 200) -> Response:
    nonce = token_urlsafe(NONCE_BYTES)
    text = page.replace(BASE_HREF, escape(base_href(scope))).replace(NONCE, nonce)
    headers = {"Content-Security-Policy": policy.format(nonce=nonce), **HEADERS}
    return Response(text, status, headers, MEDIA_TYPE)
