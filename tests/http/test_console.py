"""Claims about the web console: which requests get its page, what its files are, and what no request gets."""

import gzip
import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.http.console import build as builds
from app.http.console.routes import PREFIXES
from app.rest import TABLE
from tests.support.server import Server

BROWSER = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
SCRIPT = b"console.log('coral');\n" * 100
PAGE = (
    '<!doctype html><base href="__BASE_HREF__"><meta property="csp-nonce" nonce="__CSP_NONCE__">'
    '<script type="module" src="./assets/main-C0FFEE.js"></script>'
)
PAGES = ["/", "/login", "/account", "/settings/users", "/organizations/6644", "/groups", "/resources/abc/settings"]
PAGES += ["/audit", "/licenses", "/settings/", "/settings/no/such/page", "/login?returnTo=%2Faccount"]
CONSOLE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{}'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)


def write_build(folder: Path, *, graphiql: bool = False) -> Path:
    """Write a tiny build, as the real one is made."""
    dist = folder / "dist"
    (dist / "assets").mkdir(parents=True)
    (dist / "index.html").write_text(PAGE)
    (dist / "assets/main-C0FFEE.js").write_bytes(SCRIPT)
    (dist / "assets/main-C0FFEE.js.gz").write_bytes(gzip.compress(SCRIPT, mtime=0))
    (dist / "assets/main-C0FFEE.css").write_text("body{}")
    (dist / "favicon.svg").write_text("<svg/>")
    (dist / ".ostiary").write_text("a stamp")
    (dist / "assets/main.map").write_text("{}")
    (dist / "assets/passwords.txt").symlink_to("/etc/passwd")
    if graphiql:
        (dist / "graphiql.html").write_text(PAGE.replace("main", "graphiql"))
    return dist


@pytest.fixture
def has_graphiql() -> bool:
    return False


@pytest.fixture(autouse=True)
def dist(tmp_path: Path, has_graphiql: bool, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The build that the application serves; it is read when the application starts."""
    folder = write_build(tmp_path, graphiql=has_graphiql)
    monkeypatch.setattr(builds, "FOLDER", folder)
    return folder


@pytest.fixture
def console_build(dist: Path) -> builds.Build:
    """The build of this test alone."""
    return builds.Build.read()


@pytest.fixture
def backend() -> str:
    """No claim here is about the database."""
    return "sqlite"


@pytest.mark.parametrize("path", PAGES)
async def test_a_browser_gets_the_one_page_at_every_address_of_the_console(
    client: httpx.AsyncClient, path: str
) -> None:
    reply = await client.get(path, headers=BROWSER)

    assert reply.status_code == 200
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    assert reply.headers["cache-control"] == "no-store"
    assert reply.headers["vary"] == "Accept"
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert reply.headers["referrer-policy"] == "same-origin"
    assert reply.headers["x-request-id"]
    assert '<base href="/">' in reply.text


async def test_every_answer_has_a_nonce_of_its_own_in_the_page_and_in_the_policy(client: httpx.AsyncClient) -> None:
    replies = [await client.get("/login", headers=BROWSER) for _ in range(20)]
    nonces = [re.findall(r'nonce="([\w-]{22,})"', reply.text) for reply in replies]

    assert len({nonce for (nonce,) in nonces}) == 20
    assert [reply.headers["content-security-policy"] for reply in replies] == [
        CONSOLE_POLICY.format(nonce) for (nonce,) in nonces
    ]


async def test_head_has_the_headers_of_get(client: httpx.AsyncClient) -> None:
    reply = await client.head("/settings", headers=BROWSER)

    assert reply.status_code == 200
    assert "default-src 'none'" in reply.headers["content-security-policy"]


@pytest.mark.parametrize("accept", ["*/*", "application/json", "text/*", "text/html;q=0, */*", ""])
@pytest.mark.parametrize("path", ["/settings", "/resources/abc"])
async def test_a_client_that_names_no_html_is_answered_as_before(
    client: httpx.AsyncClient, path: str, accept: str
) -> None:
    reply = await client.get(path, headers={"accept": accept})

    assert (reply.status_code, reply.json()["noRetry"]) == (404, False)


async def test_the_root_leads_clients_without_html_to_the_api(client: httpx.AsyncClient) -> None:
    reply = await client.get("/")

    assert (reply.status_code, reply.headers["location"]) == (307, "/graphql")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_other_methods_are_answered_as_before(client: httpx.AsyncClient, method: str) -> None:
    assert (await client.request(method, "/settings", headers=BROWSER)).status_code == 404


@pytest.mark.parametrize(
    ("path", "status"), [("/users", 401), ("/orgs", 200), ("/version", 200), ("/loginx", 404), ("/Settings", 404)]
)
async def test_the_console_takes_no_address_of_others(client: httpx.AsyncClient, path: str, status: int) -> None:
    reply = await client.get(path, headers=BROWSER)

    assert reply.status_code == status
    assert not reply.headers["content-type"].startswith("text/html")


def test_no_address_of_the_console_is_one_of_rest() -> None:
    assert {route.path.split("/")[1].lower() for route in TABLE} & PREFIXES == set()


async def test_a_hashed_file_is_cached_for_ever_and_compressed(client: httpx.AsyncClient) -> None:
    plain = await client.get("/assets/main-C0FFEE.js", headers={"accept-encoding": "identity"})
    packed = await client.get("/assets/main-C0FFEE.js", headers={"accept-encoding": "gzip, br"})

    assert plain.content == packed.content == SCRIPT
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) < len(SCRIPT) / 5
    assert plain.headers["etag"] != packed.headers["etag"]
    for reply in (plain, packed):
        assert reply.headers["content-type"] == "text/javascript; charset=utf-8"
        assert reply.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert reply.headers["vary"] == "Accept-Encoding"
        assert reply.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
async def test_a_file_that_the_browser_has_is_not_sent_again(client: httpx.AsyncClient, encoding: str) -> None:
    headers = {"accept-encoding": encoding}
    first = await client.get("/assets/main-C0FFEE.js", headers=headers)
    again = await client.get("/assets/main-C0FFEE.js", headers={**headers, "if-none-match": first.headers["etag"]})

    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert again.headers["vary"] == "Accept-Encoding"
    assert "content-encoding" not in again.headers


async def test_a_file_without_a_digest_in_its_name_is_revalidated(client: httpx.AsyncClient) -> None:
    reply = await client.get("/favicon.svg", headers={"accept-encoding": "gzip"})

    assert (reply.text, reply.headers["content-type"]) == ("<svg/>", "image/svg+xml")
    assert reply.headers["cache-control"] == "no-cache"
    assert "content-encoding" not in reply.headers


@pytest.mark.parametrize(
    "path",
    [
        "/assets/none.js",
        "/assets/main.map",
        "/assets/main-C0FFEE.js.gz",
        "/assets/passwords.txt",
        "/assets/",
        "/assets/../index.html",
        "/assets/..%2f..%2f..%2fsetup",
        "/assets//main-C0FFEE.js",
        "/%2e%2e/dist/index.html",
        "/.ostiary",
        "/index.html",
        "/dist/index.html",
    ],
)
async def test_no_other_file_is_served(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(path, headers=BROWSER)).status_code == 404


async def test_behind_a_prefix_the_page_has_it_in_its_base(app: Any) -> None:
    transport = httpx.ASGITransport(app, root_path='/a "registry"')
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as http:
        page = await http.get("/a%20%22registry%22/login", headers=BROWSER)
        file = await http.get("/a%20%22registry%22/assets/main-C0FFEE.css")

    assert '<base href="/a%20%22registry%22/">' in page.text
    assert file.text == "body{}"


@pytest.mark.parametrize("has_graphiql", [True])
async def test_a_browser_gets_graphiql_of_the_build(client: httpx.AsyncClient) -> None:
    reply = await client.get("/graphql", headers=BROWSER)

    assert reply.status_code == 200
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    assert "graphiql-C0FFEE.js" in reply.text
    assert '<base href="/">' in reply.text
    assert (await client.post("/graphql", json={"query": "{ __typename }"})).json() == {"data": {"__typename": "Query"}}


@pytest.mark.parametrize("has_graphiql", [True])
async def test_graphiql_asks_no_other_host_and_no_other_site_frames_it(client: httpx.AsyncClient) -> None:
    headers = (await client.get("/graphql", headers=BROWSER)).headers
    policy = dict(rule.split(" ", 1) for rule in headers["content-security-policy"].split("; "))

    assert policy == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data:",
        "font-src": "'self' data:",
        "connect-src": "'self'",
        "worker-src": "'self'",
        "base-uri": "'self'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
    }
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["x-content-type-options"] == "nosniff"
    assert (headers["cache-control"], headers["vary"]) == ("no-store", "Accept")


@pytest.mark.parametrize("has_graphiql", [True])
async def test_behind_a_prefix_graphiql_has_it_in_its_base(app: Any) -> None:
    transport = httpx.ASGITransport(app, root_path="/registry")
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as http:
        page = await http.get("/registry/graphql", headers=BROWSER)

    assert '<base href="/registry/">' in page.text


class TestWithoutABuild:
    @pytest.fixture
    def dist(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.setattr(builds, "FOLDER", tmp_path / "none")
        return tmp_path

    @pytest.mark.parametrize("path", ["/", "/settings/users"])
    async def test_the_addresses_say_how_to_make_it(self, client: httpx.AsyncClient, dist: Path, path: str) -> None:
        reply = await client.get(path, headers=BROWSER)

        assert reply.status_code == 503
        assert reply.headers["content-type"] == "text/html; charset=utf-8"
        assert "default-src 'none'" in reply.headers["content-security-policy"]
        assert "scripts/setup" in reply.text
        assert '<a href="/graphql">' in reply.text

    async def test_a_browser_at_the_api_is_told_how_to_make_graphiql(
        self, client: httpx.AsyncClient, dist: Path
    ) -> None:
        reply = await client.get("/graphql", headers=BROWSER)

        assert reply.status_code == 503
        assert "<h1>GraphiQL is not built</h1>" in reply.text
        assert "scripts/setup" in reply.text
        assert '<a href="/schema.graphql">' in reply.text
        assert "__" not in reply.text
        assert "default-src 'none'" in reply.headers["content-security-policy"]

    async def test_the_apis_answer(self, client: httpx.AsyncClient, dist: Path) -> None:
        query = {"query": "{ __typename }"}

        assert (await client.post("/graphql", json=query)).is_success
        assert (await client.get("/graphql", params=query, headers=BROWSER)).is_success
        assert (await client.get("/version")).is_success


async def test_a_build_from_before_graphiql_is_as_none_for_its_address(client: httpx.AsyncClient) -> None:
    reply = await client.get("/graphql", headers=BROWSER)

    assert (reply.status_code, "GraphiQL is not built" in reply.text) == (503, True)


class TestSwitchedOff:
    @pytest.fixture
    def overrides(self) -> dict[str, Any]:
        return {"OSTIARY_CONSOLE": "false"}

    async def test_no_address_is_the_consoles(self, client: httpx.AsyncClient) -> None:
        root = await client.get("/", headers=BROWSER)
        others = [await client.get(path, headers=BROWSER) for path in PAGES[1:]]

        assert (root.status_code, root.headers["location"]) == (307, "/graphql")
        assert {reply.status_code for reply in others} == {404}

    @pytest.mark.parametrize("has_graphiql", [True])
    async def test_graphiql_stays_with_its_files(self, client: httpx.AsyncClient) -> None:
        page = await client.get("/graphql", headers=BROWSER)
        file = await client.get("/assets/main-C0FFEE.js")

        assert "graphiql-C0FFEE.js" in page.text
        assert file.content == SCRIPT


def test_the_log_has_the_first_segment_of_a_page_and_no_name_of_a_file(tmp_path: Path) -> None:
    own = {"OSTIARY_LOG_REQUESTS": "true", "OSTIARY_LOG_LEVEL": "info", "OSTIARY_LOG_FORMAT": "json"}
    with Server(tmp_path, **own) as server:
        server.ready()
        with httpx.Client(base_url=server.address, trust_env=False) as http:
            http.get("/resources/a-secret-id", headers=BROWSER)
            metrics = http.get("/metrics", headers={"authorization": "Bearer a-token-for-metrics"}).text
        log = server.err

    lines = [json.loads(line) for line in log.splitlines()]
    (line,) = [line for line in lines if line.get("path") == "/resources"]
    assert (line["api"], line["method"], line["kind"]) == ("other", "GET", "none")
    assert "a-secret-id" not in log
    assert re.search(r'ostiary_requests_total\{api="other",.*status="[25]xx"\} [1-9]', metrics)
