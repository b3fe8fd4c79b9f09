"""Tests of the cache of lists: which lists a query may use and keep, beside changes that others have noted."""

import gc
import tracemalloc
from random import Random

import pytest
from orjson import dumps

from app.db import cached_lists
from app.db.access_changes import edit_scope, resource_scope, user_scope
from app.db.cached_lists import CachedLists, CachedValues, FieldLists, OpenedLists, ResourceColumns


def _opened(lists: CachedLists) -> OpenedLists:
    """Return the lists for a query whose first read has ended."""
    opened = OpenedLists(lists)
    opened.is_confirmed = True
    return opened


def _keys(opened: OpenedLists, field: CachedValues) -> set[int]:
    return {*opened.find(field, range(20))}


def test_columns_of_a_resource_stay_until_it_changes_but_its_lists_only_until_its_access_does() -> None:
    lists, columns, field = CachedLists(), ResourceColumns(), FieldLists(resource_scope)
    reading = _opened(lists)
    for key in range(1, 5):
        _opened(lists).keep(columns, {key: (key, "a name")})
        _opened(lists).keep(field, {key: b"[]"})
    lists.drop({edit_scope(1), resource_scope(2), user_scope(3)})
    assert _keys(_opened(lists), columns) == {3, 4}
    assert _keys(_opened(lists), field) == {1, 3, 4}
    assert _keys(reading, columns) == {3, 4}
    reading.keep(columns, {1: (1, "an old name"), 2: (2, "an old name")})
    assert _keys(_opened(lists), columns) == {3, 4}
    lists.drop({-2})
    assert not _keys(_opened(lists), columns)
    assert lists.size == 0


@pytest.mark.parametrize("seed", range(20))
def test_a_list_stays_until_its_scope_is_dropped(seed: int) -> None:
    random, lists = Random(seed), CachedLists()
    fields = {FieldLists(user_scope): dict[int, bytes](), FieldLists(resource_scope): dict[int, bytes]()}
    for _ in range(300):
        if random.random() < 0.4:
            drawn = {random.choice([user_scope, resource_scope])(random.randrange(8)) for _ in range(2)}
            scopes = random.choice([drawn, drawn, drawn, {*drawn, -2}, None])
            lists.drop(scopes)
            for field, naive in fields.items():
                is_all = scopes is None or -2 in scopes
                kept = {key: json for key, json in naive.items() if not is_all and field.scope(key) not in drawn}
                fields[field] = kept
        else:
            field, naive = random.choice([*fields.items()])
            new = {random.randrange(8): dumps([random.random()]) for _ in range(3)}
            _opened(lists).keep(field, new)
            fields[field] = new | naive
        for field, naive in fields.items():
            found = _opened(lists).find(field, range(8))
            assert {key: dumps(json) for key, json in found.items()} == naive
        assert lists.size == sum(
            len(json) + cached_lists.OVERHEAD for naive in fields.values() for json in naive.values()
        )


def test_nothing_is_used_or_kept_before_the_first_read_has_ended() -> None:
    lists, field = CachedLists(), FieldLists(user_scope)
    OpenedLists(lists).keep(field, {1: b"[]"})
    assert not _keys(_opened(lists), field)
    _opened(lists).keep(field, {1: b"[]"})
    assert not _keys(OpenedLists(lists), field)
    assert _keys(_opened(lists), field) == {1}


def test_a_query_uses_and_keeps_no_list_that_others_know_to_have_changed_since_it_began() -> None:
    lists, field = CachedLists(), FieldLists(user_scope)
    slow, quick = _opened(lists), _opened(lists)
    lists.drop({user_scope(1)})
    quick.keep(field, {1: b"[1]", 2: b"[2]"})
    assert _keys(_opened(lists), field) == {2}
    _opened(lists).keep(field, {1: b"[1]"})
    assert _keys(slow, field) == {2}, "the list of 1 is of a later moment than the rows of this query"
    lists.drop(None)
    slow.keep(field, {3: b"[3]"})
    assert not _keys(slow, field)
    assert not _keys(_opened(lists), field)


def test_a_query_that_has_used_lists_notices_that_a_later_read_is_of_another_moment() -> None:
    lists, field = CachedLists(), FieldLists(user_scope)
    _opened(lists).keep(field, {1: b"[1]"})
    unused, used = _opened(lists), _opened(lists)
    assert _keys(used, field) == {1}
    mixed = [used.is_mixed]
    lists.drop({user_scope(9)})
    assert [*mixed, used.is_mixed, unused.is_mixed] == [False, True, False]


def test_a_list_is_worth_keeping_when_a_later_query_reads_it_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cached_lists, "MAX_MISSES", 3)
    lists, field, other = CachedLists(), FieldLists(user_scope), FieldLists(resource_scope)

    def record_misses(*keys: int) -> set[int]:
        opened = OpenedLists(lists)
        again = opened.record_misses(field, keys)
        assert opened.record_misses(field, keys) == again, "of the same query"
        assert not opened.record_misses(other, keys)
        opened.end()
        lists.missed(other).clear()
        return again

    assert not record_misses(1, 2, 3, 4)
    assert record_misses(1, 5) == {1}
    assert record_misses(1, 2) == {1}, "the others were forgotten, since there were too many"


def test_long_lists_are_not_kept_and_the_oldest_are_dropped_first(monkeypatch: pytest.MonkeyPatch) -> None:
    size = 100 + cached_lists.OVERHEAD
    monkeypatch.setattr(cached_lists, "MAX_BYTES", 8 * size)
    monkeypatch.setattr(cached_lists, "MAX_BYTES_OF_LIST", 100)
    lists, field = CachedLists(), FieldLists(user_scope)
    _opened(lists).keep(field, {0: b"x" * 101})
    for key in range(1, 20):
        _opened(lists).keep(field, {key: b"x" * 100})
    keys = _keys(_opened(lists), field)
    assert keys == {*range(20 - len(keys), 20)}
    assert lists.size == len(keys) * size <= 8 * size


def test_a_list_takes_about_the_memory_that_is_counted() -> None:
    tracemalloc.start()
    lists, field = CachedLists(), FieldLists(user_scope)
    _opened(lists).keep(field, {key: dumps([{"name": "user"}]) for key in range(1_000, 6_000)})
    gc.collect()
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert 0.3 * lists.size < taken < 1.5 * lists.size


def test_many_scopes_are_dropped_from_many_fields_without_looking_at_each() -> None:
    lists, calls = CachedLists(), list[int]()

    def scope(key: int) -> int:
        calls.append(key)
        return user_scope(key)

    fields = [FieldLists(scope) for _ in range(50)]
    for field in fields:
        _opened(lists).keep(field, {7: b"[]"})
    calls.clear()
    lists.drop({*map(user_scope, range(7, 1_007))})
    assert not calls
    assert not any(field.by_key for field in fields)
