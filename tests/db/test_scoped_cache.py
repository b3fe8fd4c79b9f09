"""Tests that the cache of pairs holds what was added and not dropped since, like a naive cache."""

from random import Random

import pytest

from app.db.access_changes import resource_scope, user_scope
from app.db.scoped_cache import CachedPairs

BASE, MOST = 1000, 60


def _naive_drop(values: dict[int, int], scopes: set[int] | None) -> dict[int, int]:
    if scopes is None:
        return {}
    return {pair: value for pair, value in values.items() if not {*_scopes(pair)} & scopes}


def _scopes(pair: int) -> tuple[int, int]:
    user, resource = divmod(pair, BASE)
    return user_scope(user), resource_scope(resource)


@pytest.mark.parametrize("seed", range(20))
def test_what_is_added_stays_until_its_user_or_its_resource_is_dropped(seed: int) -> None:
    random, cached, naive, added = Random(seed), CachedPairs(BASE), dict[int, int](), 0
    for _ in range(400):
        if random.random() < 0.4:
            drawn = {random.choice([user_scope, resource_scope])(random.randrange(8)) for _ in range(2)}
            scopes = random.choice([drawn, drawn, drawn, None])
            cached.drop(scopes)
            naive, added = _naive_drop(naive, scopes), 0 if scopes is None else added
        else:
            pairs = {random.randrange(8) * BASE + random.randrange(8): random.randrange(32) for _ in range(9)}
            cached.add(pairs, cached.round, MOST)
            added += len(pairs)
            if added > MOST:
                naive, added = {}, len(pairs)
            naive |= pairs
        assert cached.values == naive


def test_values_that_were_read_before_a_change_are_not_added() -> None:
    cached, before = CachedPairs(BASE), 0
    cached.drop({user_scope(1), resource_scope(7)})

    cached.add({1 * BASE + 1: 3, 2 * BASE + 7: 3, 2 * BASE + 2: 3}, before, MOST)

    assert cached.values == {2 * BASE + 2: 3}
    cached.drop(None)
    cached.add({2 * BASE + 2: 3}, before, MOST)
    assert cached.values == {}
