"""Tests that a database around another one passes every call to it."""

import inspect
from types import SimpleNamespace
from typing import Any

import pytest

from app.db.interface import Database
from app.db.wrapped import WrappedDatabase

CALLS = sorted(
    name
    for name, each in vars(Database).items()
    if inspect.isfunction(each) and not name.startswith("_") and name not in {"ask", "prepare"}
)
"""The methods of a database that a subclass implements: `ask` is made of `read`."""

FLAGS = sorted(name for name, each in vars(Database).items() if isinstance(each, bool))


class _Noting:
    """A database that notes what is called."""

    def __init__(self, **flags: bool) -> None:
        self.called = list[str]()
        self.prepare, self.clock, self.failures = SimpleNamespace(dialect=None), object(), object()
        self.caches: dict[Any, Any] = {}
        for name in FLAGS:
            setattr(self, name, flags.get(name, False))

    def __getattr__(self, name: str) -> Any:
        def call(*_: Any, **__: Any) -> Any:
            self.called.append(name)
            return _done()

        return call


async def _done() -> None:
    pass


@pytest.mark.parametrize("name", CALLS)
async def test_every_call_reaches_the_database_inside(name: str) -> None:
    inner: Any = _Noting()
    method = getattr(WrappedDatabase(inner), name)
    needed = [
        each
        for each in inspect.signature(method).parameters.values()
        if each.default is each.empty and each.kind is not each.VAR_KEYWORD
    ]
    positional = [None for each in needed if each.kind is not each.KEYWORD_ONLY]
    called = method(*positional, **{each.name: None for each in needed if each.kind is each.KEYWORD_ONLY})
    while inspect.isawaitable(called):
        called = await called
    assert inner.called == [name]


@pytest.mark.parametrize("name", FLAGS)
def test_every_fact_is_that_of_the_database_inside(name: str) -> None:
    for value in (True, False):
        inner: Any = _Noting(**{name: value})
        assert getattr(WrappedDatabase(inner), name) is value
