"""All answers about access agree with its definition, for every user and every query, on generated worlds."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from app import db
from tests.oracle.access_queries import all_agree
from tests.oracle.access_worlds import NOW, Plan, plans, write
from tests.oracle.generated import generated
from tests.support.client import Api


@generated(4)
@given(plan=plans(), later=st.sampled_from((timedelta(0), timedelta(hours=1))))
async def test_all_ways_of_asking_agree_with_the_definition(
    api: Api, database: db.Database, plan: Plan, later: timedelta
) -> None:
    database.clock = lambda: NOW
    root = await write(database, plan)
    database.clock = lambda: NOW + later

    await all_agree(api, database, root)
