"""Claims about the executor that runs an operation, and about the header that names it."""

import httpx
import pytest
from starlette.applications import Starlette

from tests.support.client import Api
from tests.support.factories import Make
from tests.support.server import METRICS

QUESTION = "{ viewer { permissions } resourceTypes(first: 2) { nodes { name } } }"
EXECUTOR_HEADER = "ostiary-executor"


@pytest.fixture
def overrides(request: pytest.FixtureRequest) -> dict[str, str]:
    return dict(getattr(request, "param", {}))


async def _executor_of(api: Api, question: str) -> str:
    response = await api.post_with_stats(question)
    assert "errors" not in response.json()
    executor: str = response.headers[EXECUTOR_HEADER]
    return executor


async def test_a_text_is_planned_when_it_comes_again(api: Api) -> None:
    assert await _executor_of(api, QUESTION) == 'reference; reason="first request"'
    assert await _executor_of(api, QUESTION) == "compiled"
    assert await _executor_of(api, QUESTION) == "compiled"


async def test_both_executors_answer_the_same_and_only_requests_for_statistics_learn_which(api: Api) -> None:
    first, second = await api.post(QUESTION), await api.post(QUESTION)

    assert first.content == second.content
    assert EXECUTOR_HEADER not in first.headers
    assert EXECUTOR_HEADER not in second.headers


async def test_what_has_no_plan_says_why(api: Api) -> None:
    introspection = "{ __schema { queryType { name } } }"
    await _executor_of(api, introspection)

    assert await _executor_of(api, introspection) == 'reference; reason="introspection"'


async def test_what_a_change_shows_is_planned_when_its_text_comes_again(api: Api, make: Make) -> None:
    admin, reference = await make.admin(), 'reference; reason="%s"'
    change = "mutation ($name: String!) { createRole(input: {name: $name}) { role { name } errors { code } } }"
    executors = []
    for name in ("Readers", "Writers", "Writers"):
        response = await api.post_with_stats(change, admin, name=name)
        executors.append(response.headers[EXECUTOR_HEADER])

    assert executors == [reference % "first request", "compiled", reference % "problem"]


@pytest.mark.parametrize("overrides", [{"OSTIARY_EXECUTOR": "reference"}], indirect=True)
async def test_the_setting_leaves_everything_to_the_reference_executor(api: Api) -> None:
    answers = {await _executor_of(api, QUESTION) for _ in range(3)}

    assert answers == {'reference; reason="setting"'}


@pytest.mark.parametrize("overrides", [{"OSTIARY_METRICS_TOKEN": METRICS}], indirect=True)
async def test_executions_are_counted_by_executor_and_cause(api: Api, app: Starlette) -> None:
    for _ in range(3):
        await api.post(QUESTION)
    transport = httpx.ASGITransport(app, client=("127.0.0.1", 4000))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:5000") as near:
        text = (await near.get("/metrics", headers={"authorization": f"Bearer {METRICS}"})).text

    assert 'ostiary_operations_total{executor="compiled",reason=""} 2' in text
    assert 'ostiary_operations_total{executor="reference",reason="first request"} 1' in text


async def test_an_expensive_document_has_a_plan_at_its_first_request(api: Api, make: Make) -> None:
    await make.resource(await make.org(), owner=await make.user("ann"))
    for number, executor in ((10, 'reference; reason="first request"'), (100, "compiled")):
        assert await _executor_of(api, f"{{ resources(first: {number}) {{ nodes {{ name slug }} }} }}") == executor
