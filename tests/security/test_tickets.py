"""Tests of a ticket's token: the published key verifies it, it has the ticket's content, and it is no session token."""

from typing import Any

import httpx
import jwt
import pytest

from app.domain import resource_roles
from app.domain.viewer import Permission
from app.security import tickets
from tests.conftest import SECRET
from tests.support.changes import answered
from tests.support.client import Api
from tests.support.factories import Entity, Make, Person
from tests.support.storing import Storing


@pytest.fixture
def storing(api: Api) -> Storing:
    return Storing(api)


@pytest.fixture
async def ann(make: Make) -> Person:
    return await make.user("Ann")


@pytest.fixture
async def reef(make: Make, ann: Person) -> Entity:
    """Return a dataset in an org of Ann's."""
    return await make.resource(await make.org("lab", owner=ann), owner=ann, slug="reef")


async def published(client: httpx.AsyncClient) -> jwt.PyJWKSet:
    """Return the published keys."""
    response = await client.get("/.well-known/jwks.json")
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/jwk-set+json"
    assert response.headers["cache-control"] == "public, max-age=300"
    return jwt.PyJWKSet.from_dict(response.json())


async def checked(client: httpx.AsyncClient, token: str) -> dict[str, Any]:
    """Return the claims of a ticket, verified like a storage service does."""
    header = jwt.get_unverified_header(token)
    assert header == {"alg": "EdDSA", "typ": "ticket+jwt", "kid": header["kid"]}
    key = (await published(client))[header["kid"]]
    claims: dict[str, Any] = jwt.decode(token, key, ["EdDSA"], audience="storage")
    return claims


async def test_a_storage_service_reads_all_it_needs_from_the_token(
    storing: Storing, client: httpx.AsyncClient, ann: Person, reef: Entity
) -> None:
    begun = answered(await storing.begin(reef, ann, 1_000), "beginUpload")

    claims = await checked(client, begun["token"])

    times = {name: claims.pop(name) for name in ("iat", "exp")}
    assert times["exp"] - times["iat"] == 3_600  # an hour, unless the operator says otherwise
    assert claims == {
        "aud": "storage",
        "jti": begun["ticket"]["id"],
        "sub": "Ann",
        "act": "upload",
        "resource": reef.node,
        "path": "lab/reef",
        "bytes": 1_000,
    }


async def test_a_ticket_tells_the_org_to_nobody_who_does_not_see_it(
    storing: Storing, client: httpx.AsyncClient, make: Make, ann: Person, reef: Entity
) -> None:
    """Even an administrator of the resource who may not see the org gets a ticket with the resource's id only."""
    guest, surveyor = await make.user("guest"), await make.holder(Permission.RESOURCES_VIEW)
    for person in (guest, surveyor):
        await make.grant(reef, person, resource_roles.ADMIN)

    async def path(person: Person) -> list[Any]:
        begun = await storing.begin(reef, person, 1), await storing.download(reef, person)
        payloads = [answered(reply, name) for reply, name in zip(begun, ("beginUpload", "beginDownload"), strict=True)]
        claims = [await checked(client, payload["token"]) for payload in payloads]
        assert {each["resource"] for each in claims} == {reef.node}
        return [each.get("path", "absent") for each in claims]

    assert await path(guest) == ["absent"] * 2
    assert await path(ann) == await path(surveyor) == ["lab/reef"] * 2


async def test_a_download_of_nobody_names_nobody(
    storing: Storing, client: httpx.AsyncClient, make: Make, ann: Person, reef: Entity
) -> None:
    values = {"resource": {"id": reef.node}, "subject": {"anyone": True}, "roles": ["DATASET_DATA_READ"]}
    mutation = "mutation ($input: GrantAccessInput!) { grantAccess(input: $input) { errors { code } } }"
    answered(await storing.api(mutation, as_=ann, input=values), "grantAccess")

    claims = [
        await checked(client, answered(await storing.download(reef, asker), "beginDownload")["token"])
        for asker in (None, ann)
    ]

    assert [(each["act"], each.get("sub")) for each in claims] == [("download", None), ("download", "Ann")]
    assert "sub" not in claims[0]


async def test_a_ticket_is_no_token_to_sign_in_with(storing: Storing, make: Make, ann: Person, reef: Entity) -> None:
    token = answered(await storing.begin(reef, ann, 1), "beginUpload")["token"]

    assert make.app.signer.read(token, make.app.database.clock()) is None
    for headers in ({"authorization": f"Bearer {token}"}, {"cookie": f"jwtToken={token}"}):
        query = {"query": "{ viewer { user { userName } } }"}
        response = await storing.api.client.post("/graphql", json=query, headers=headers)
        storing.api.client.cookies.clear()
        if "cookie" in headers:
            assert response.json() == {"data": {"viewer": {"user": None}}}
        else:
            assert response.status_code == 401


async def test_a_token_to_sign_in_with_is_no_ticket(api: Api, client: httpx.AsyncClient, ann: Person) -> None:
    """A token signed with the public key as a secret is refused too."""
    (key,) = (await published(client)).keys
    claims = {"aud": "storage", "jti": "x", "act": "upload", "path": "lab/reef", "bytes": 1, "exp": 2**40}
    public = key.key.public_bytes_raw()
    headers = {"typ": "ticket+jwt", "kid": key.key_id}
    forged = jwt.encode(claims, public.ljust(32, b"0"), "HS256", headers=headers)
    unsigned = jwt.encode(claims, "", "none", headers=headers)

    for token in (api.token(ann), forged, unsigned):
        with pytest.raises(jwt.InvalidTokenError):
            jwt.decode(token, key, ["EdDSA"], audience="storage")
    with pytest.raises(jwt.InvalidTokenError):
        jwt.decode(api.token(ann), SECRET, ["HS256"], audience="storage")


async def test_the_key_follows_from_the_secret_and_is_not_the_secret(client: httpx.AsyncClient) -> None:
    (published_key,) = (await client.get("/.well-known/jwks.json")).json()["keys"]
    same, other = (tickets.TicketSigner(secret).jwk for secret in (SECRET.encode(), b"another" * 9))

    assert published_key == same
    assert published_key.keys() == {"kty", "crv", "x", "kid", "alg", "use"}
    assert (published_key["kty"], published_key["crv"], published_key["alg"], published_key["use"]) == (
        "OKP",
        "Ed25519",
        "EdDSA",
        "sig",
    )
    assert {published_key["kid"], published_key["x"]}.isdisjoint({other["kid"], other["x"]})


async def test_only_reading_is_taken_where_the_keys_are(client: httpx.AsyncClient) -> None:
    response = await client.post("/.well-known/jwks.json")

    assert response.status_code == 405
    assert (await client.head("/.well-known/jwks.json")).status_code == 200


async def test_no_two_tickets_have_the_same_id_and_none_can_be_guessed(
    storing: Storing, ann: Person, reef: Entity
) -> None:
    ids = [await storing.ticket(reef, ann, 0) for _ in range(20)]

    assert len({*ids}) == 20
    assert {len(each) for each in ids} == {32}  # 24 bytes of chance
