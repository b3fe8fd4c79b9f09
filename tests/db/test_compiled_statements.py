"""Claims about statements that stay compiled: one that is alike is known, and keeps its own values."""

import gc
from weakref import ref

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.dialects import sqlite
from sqlalchemy.sql.base import Executable

from app.db.statements import StatementCache, compile_statement
from app.db.tables import Org, User, col
from app.query.relations import among, integers

DIALECT = sqlite.dialect(paramstyle="qmark")


def renamed(key: int, name: str) -> Executable:
    return update(Org).where(col(Org.id) == key).values(name=name)


PAIRS: list[tuple[Executable, Executable]] = [
    (renamed(1, "a"), renamed(2, "b")),
    (delete(Org).where(col(Org.id) == 1), delete(Org).where(col(Org.id) == 2)),
    (
        select(col(User.id)).where(among(col(User.id), integers([1]))),
        select(col(User.id)).where(among(col(User.id), integers([2, 3]))),
    ),
]


@pytest.mark.parametrize(("first", "second"), PAIRS, ids=["update", "delete", "many keys"])
def test_a_statement_that_is_alike_has_the_same_text_and_its_own_values(first: Executable, second: Executable) -> None:
    prepare = StatementCache(DIALECT, 8)

    cached, alike = prepare(first), prepare(second)

    assert cached.text is alike.text
    assert cached.arguments({}) == compile_statement(first, DIALECT).arguments({})
    assert alike.arguments({}) == compile_statement(second, DIALECT).arguments({})
    assert prepare(first) is prepare(first)


def test_what_differs_in_its_structure_is_another_statement() -> None:
    prepare = StatementCache(DIALECT, 8)

    texts = {prepare(each).text for each in (delete(Org), delete(User), select(col(User.id)), select(col(User.email)))}

    assert len(texts) == 4


def test_a_statement_that_is_built_for_each_call_is_not_kept_with_its_values() -> None:
    prepare = StatementCache(DIALECT, 8)
    built = [select(col(User.id)).where(among(col(User.id), integers([at]))) for at in range(3)]
    kept = [ref(each) for each in built]

    for each in built:
        prepare(each)
    del built, each
    gc.collect()

    assert [statement() for statement in kept[1:]] == [None, None], "the first one stays as the compiled structure"


def test_an_old_statement_is_forgotten_and_then_compiled_again() -> None:
    prepare = StatementCache(DIALECT, 2)
    first = select(col(User.id))

    before = [prepare(first), prepare(first)][-1]
    for column in (User.email, User.user_name, User.created_at):
        other = select(col(column))
        prepare(other)
        prepare(other)

    after = prepare(first)
    assert after is not before
    assert after.text == before.text
