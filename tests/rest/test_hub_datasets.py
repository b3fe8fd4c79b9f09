"""Claims about the Hub's dialogs of datasets: new slugs and texts, and who reads a dataset."""

import json
from typing import Any

import httpx

from tests.rest.test_clients import Hub, ann, form, hub, overrides, reef
from tests.support.client import Api
from tests.support.factories import Entity, Make, Person
from tests.support.rest_toy import refusal

__all__ = ["ann", "hub", "overrides", "reef"]
"""Fixtures: the Hub, and a dataset in a private org of Ann."""


async def test_the_hubs_dialog_renames_a_dataset_and_then_sets_its_texts(hub: Hub, reef: Entity) -> None:
    await hub.log_in("ann")

    renamed = await hub.call("POST /orgs/sea/ds/reef/rename", files=form(slug="corals"))
    assert renamed["slug"] == "corals"
    for key, text in (("name", "Corals"), ("tagline", "What grows.")):
        told = await hub.call("POST /orgs/sea/ds/corals/meta/set", files=form(key=key, data=json.dumps(text)))
        assert told[key]["data"] == text
    assert await hub.call("PUT /orgs/sea/ds/corals", files=form(name="Reef", tagline="All.")) is True

    (dataset,) = await hub.call("GET /orgs/sea/ds?includeThumbnailCheck=true")
    meta = dataset["properties"]["meta"]
    assert (dataset["slug"], meta["name"]["data"], meta["tagline"]["data"]) == ("corals", "Reef", "All.")
    assert refusal(await hub.ask("GET /orgs/sea/ds/reef")) == (404, False)


async def test_a_dataset_of_the_hub_is_private_unless_it_is_opened(
    hub: Hub, client: httpx.AsyncClient, make: Make, ann: Person
) -> None:
    """Unlisted and public datasets are read by all, without a token too."""
    await make.org("sea", ann)
    await make.user("eve")
    await hub.log_in("ann")
    for slug, more in (("own", {}), ("link", {"visibility": "1"}), ("open", {"visibility": "Public"})):
        await hub.call("POST /orgs/sea/ds", files=form(slug=slug, **more))

    def level(dataset: Any) -> int:
        number: int = dataset["properties"]["meta"]["visibility"]["data"]
        assert dataset["properties"]["public"] is (number == 2)
        return number

    assert {each["slug"]: level(each) for each in await hub.call("GET /orgs/sea/ds")} == {
        "own": 0,
        "link": 1,
        "open": 2,
    }
    client.cookies.clear()
    statuses = {slug: (await client.get(f"/orgs/sea/ds/{slug}")).status_code for slug in ("own", "link", "open")}
    assert statuses == {"own": 404, "link": 200, "open": 200}
    await hub.log_in("eve")
    assert refusal(await hub.ask("GET /orgs/sea/ds/own")) == (404, False)
    assert level(await hub.call("GET /orgs/sea/ds/link/ex")) == 1


async def test_each_visibility_leads_to_each_other(hub: Hub, reef: Entity) -> None:
    await hub.log_in("ann")

    for before in range(3):
        for after in range(3):
            for level in (before, after):
                told = await hub.call("POST /orgs/sea/ds/reef/meta/set", files=form(key="visibility", data=str(level)))
                assert told["visibility"]["data"] == level


async def test_what_only_signed_in_users_read_is_unlisted_and_sent_back_it_stays_so(
    hub: Hub, client: httpx.AsyncClient, reef: Entity
) -> None:
    """Such a grant comes from GraphQL. A client that sends back what it read must not open it further."""
    await hub.log_in("ann")
    dataset = await hub.call("GET /orgs/sea/ds/reef/ex")
    assert dataset["properties"]["meta"]["visibility"]["data"] == 1

    assert await hub.call("PUT /orgs/sea/ds/reef", files=form(name="Reef", visibility="1")) is True

    client.cookies.clear()
    assert (await client.get("/orgs/sea/ds/reef")).status_code == 404


async def test_an_unlisted_dataset_of_a_private_org_is_listed_by_graphql_alone(
    hub: Hub, client: httpx.AsyncClient, api: Api, reef: Entity
) -> None:
    """As the docs say. What is read by everyone is listed to everyone, without its org."""
    await hub.log_in("ann")
    for level in "01":  # 1 alone changes nothing: the dataset that all signed-in users read is shown as 1
        await hub.call("PUT /orgs/sea/ds/reef", files=form(visibility=level))
    client.cookies.clear()

    assert (await client.get("/orgs/sea/ds")).status_code == 404
    assert [org["slug"] for org in (await client.get("/orgs")).json()] == []
    for more in ("", ', filter: {search: "reef"}'):
        listed = await api(f"{{ resources(first: 9{more}) {{ nodes {{ slug org {{ slug }} }} }} }}")
        assert listed["data"]["resources"]["nodes"] == [{"slug": "reef", "org": None}]
