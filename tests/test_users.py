"""Users over GraphQL."""

from app import db
from tests.asking import Api, codes, paths
from tests.make import Make, everything

CREATE = """
mutation ($input: CreateUserInput!) {
  createUser(input: $input) { user { userName email metadata roles { name } } errors { code message path } }
}
"""


async def test_an_administrator_makes_a_user(api: Api, make: Make) -> None:
    root = await make.admin()

    reply = await api(
        CREATE, as_=root, input={"userName": "Ann", "password": "long enough a password", "email": "a@b.example"}
    )

    assert reply == {
        "data": {
            "createUser": {
                "user": {"userName": "Ann", "email": "a@b.example", "metadata": {}, "roles": [{"name": "user"}]},
                "errors": [],
            }
        }
    }


async def test_a_name_that_differs_by_case_is_taken(api: Api, make: Make, database: db.Database) -> None:
    root = await make.admin()
    await make.user("Ann")
    before = await everything(database)

    reply = await api(CREATE, as_=root, input={"userName": "aNN"})

    assert (codes(reply), paths(reply)) == (["CONFLICT"], ["input.userName"])
    assert await everything(database) == before
