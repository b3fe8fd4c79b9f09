"""Claims about what the server tells of itself over REST, and about paths and methods that it does not take."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app import __version__, db
from app.security.session_tokens import TokenClaims, TokenSigner
from tests.conftest import SECRET
from tests.support.changes import unchanged
from tests.support.client import Api
from tests.support.factories import Make, Person
from tests.support.rest_client import Rest
from tests.support.rest_toy import refusal

LOGOUT = "mutation { logout { errors { code } } }"
OPEN = ["/sys/features", "/version", "/users/management-enabled", "/orgs/features/member-management"]

FEATURES: dict[str, Any] = {
    "organizationMemberManagement": False,
    "userManagement": True,
    "storageLimiter": False,
    "maxConcurrentDownloadsPerUser": None,
    "disableAnonymousBulkDownloads": False,
    "passwordPolicy": {
        "minLength": 12,
        "requireDigit": False,
        "requireUppercase": False,
        "requireLowercase": False,
        "requireNonAlphanumeric": False,
    },
    "datasetThumbnailCandidates": [],
    "maxExportSizeBytes": None,
    "bulkDownloadAsyncThresholdBytes": None,
    "taskTools": [],
    "taskStates": [],
    "hubOptions": {},
    "hubVersion": None,
    "registryVersion": __version__,
    "ddbVersion": None,
}


async def test_every_user_reads_the_features_of_the_server(rest: Rest, make: Make) -> None:
    for as_ in (None, await make.user(), await make.admin()):
        reply = await rest("GET", "/Sys/Features/", as_)
        assert (reply.status_code, reply.json()) == (200, FEATURES)


@pytest.mark.parametrize(
    "overrides",
    [
        {
            "OSTIARY_ENABLE_ORGANIZATION_MEMBER_MANAGEMENT": "true",
            "OSTIARY_PASSWORD_POLICY__MIN_LENGTH": "8",
            "OSTIARY_PASSWORD_POLICY__REQUIRE_DIGIT": "true",
        }
    ],
)
async def test_the_features_follow_the_settings(rest: Rest) -> None:
    policy = FEATURES["passwordPolicy"] | {"minLength": 8, "requireDigit": True}

    features = (await rest("GET", "/sys/features")).json()

    assert features == FEATURES | {"organizationMemberManagement": True, "passwordPolicy": policy}
    assert (await rest("GET", "/orgs/features/member-management")).json() == {"enabled": True}


@pytest.mark.parametrize("overrides", [{"OSTIARY_PASSWORD_POLICY": "null"}])
async def test_no_password_policy_is_null(rest: Rest) -> None:
    assert (await rest("GET", "/sys/features")).json()["passwordPolicy"] is None


async def test_whether_members_and_users_are_managed_here(rest: Rest) -> None:
    assert (await rest("GET", "/orgs/Features/Member-Management")).json() == {"enabled": False}
    assert (await rest("GET", "/users/management-enabled")).content == b"true"


async def test_the_version_is_text_for_anonymous_and_json_for_users(rest: Rest, make: Make) -> None:
    text, in_json = await rest("GET", "/version"), await rest("GET", "/sys/version", await make.user())

    assert (text.status_code, text.text) == (200, __version__)
    assert text.headers["content-type"].startswith("text/plain")
    assert (in_json.status_code, in_json.json()) == (200, __version__)
    assert refusal(await rest("GET", "/sys/version")) == (401, True)


async def test_a_public_route_accepts_an_invalid_token(api: Api, rest: Rest, make: Make) -> None:
    ann, gone = await make.user("ann"), await make.user("gone", "deactivated")
    tokens = ["garbage", api.token(Person(ann.id, "ann", generation=1)), api.token(gone)]

    sent = [{"authorization": f"Bearer {token}"} for token in tokens]
    replies = [await rest("GET", path, headers=each) for path in OPEN for each in sent]

    assert {reply.status_code for reply in replies} == {200}


LISTED = (
    TokenSigner(SECRET.encode(), timedelta(days=7), ()).issue(TokenClaims(1, "ann", False, 0), datetime.now(UTC)).token
)


@pytest.mark.parametrize("overrides", [{"OSTIARY_REVOKED_TOKENS": json.dumps([LISTED])}])
async def test_a_token_that_was_taken_back_is_refused_even_there(api: Api, rest: Rest, make: Make) -> None:
    ann = await make.user("ann")
    left = api.token(ann)
    await api.client.post("/graphql", json={"query": LOGOUT}, headers={"authorization": f"Bearer {left}"})

    for path in [*OPEN, "/orgs", "/orgs/public", "/orgs/open", "/orgs/open/ds"]:
        for token in (left, LISTED):
            reply = await rest("GET", path, headers={"authorization": f"Bearer {token}"})
            assert refusal(reply) == (401, True)


async def test_replies_are_neither_cached_nor_framed_nor_sniffed(rest: Rest) -> None:
    for path in [*OPEN, "/orgs", "/orgs/nowhere", "/nowhere"]:
        headers = (await rest("GET", path)).headers
        assert headers["cache-control"] == "no-store"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "SAMEORIGIN"
        assert headers["referrer-policy"] == "strict-origin-when-cross-origin"


ALLOWED = {
    ("DELETE", "/orgs"): "GET, HEAD, POST",
    ("POST", "/orgs/acme"): "DELETE, GET, HEAD, PUT",
    ("PUT", "/orgs/PUBLIC"): "GET, HEAD",
    ("DELETE", "/orgs/acme/members"): "GET, HEAD, POST",
    ("GET", "/orgs/acme/members/ann"): "DELETE, PUT",
    ("PUT", "/orgs/acme/ds"): "GET, HEAD, POST",
    ("POST", "/orgs/acme/ds/reef"): "DELETE, GET, HEAD, PUT",
    ("DELETE", "/orgs/acme/ds/reef/ex"): "GET, HEAD",
    ("POST", "/orgs/features/member-management"): "GET, HEAD",
}


async def test_a_method_that_a_path_does_not_take_is_a_405_for_every_user(
    rest: Rest, make: Make, database: db.Database
) -> None:
    root = await make.admin()
    await make.org("acme", root)

    async with unchanged(database):
        for as_ in (None, root):
            replies = {request: await rest(*request, as_) for request in ALLOWED}
            assert {refusal(reply) for reply in replies.values()} == {(405, False)}
            assert {request: reply.headers["allow"] for request, reply in replies.items()} == ALLOWED


async def test_an_unknown_path_is_a_404_for_every_user(rest: Rest, make: Make) -> None:
    root = await make.admin()
    paths = ["/org", "/orgs/acme/nothing", "/orgs/acme/ds/reef/nothing", "/orgs//", "/sys", "/ds"]

    replies = [await rest(how, path, as_) for how in ("GET", "POST") for path in paths for as_ in (None, root)]

    assert {refusal(reply) for reply in replies} == {(404, False)}
    assert {reply.json()["error"] for reply in replies} == {"There is nothing at this path."}
