"""Claims about `WeightedLRU`, the one LRU of a process."""

from app.caching import WeightedLRU


def test_the_entry_that_was_used_least_recently_is_evicted_first() -> None:
    cache: WeightedLRU[str, int] = WeightedLRU(2)
    cache.put("a", 1)
    cache.put("b", 2)
    assert cache.get("a") == 1

    cache.put("c", 3)

    assert (cache.get("a"), cache.get("b"), cache.get("c"), len(cache)) == (1, None, 3, 2)


def test_a_peek_keeps_the_order() -> None:
    cache: WeightedLRU[str, int] = WeightedLRU(2)
    cache.put("a", 1)
    cache.put("b", 2)
    assert cache.peek("a") == 1

    cache.put("c", 3)

    assert (cache.peek("a"), cache.peek("b"), cache.peek("c")) == (None, 2, 3)


def test_weight_evicts_as_many_entries_as_it_needs_and_an_entry_that_is_too_heavy_evicts_none() -> None:
    cache: WeightedLRU[str, str] = WeightedLRU(10, 10, 9, lambda key, value: len(value))
    for key in "abc":
        cache.put(key, "123")

    cache.put("heavy", "x" * 10)
    assert (len(cache), cache.peek("heavy")) == (3, None)

    cache.put("d", "12345")
    assert [cache.peek(key) for key in "abcd"] == [None, None, "123", "12345"]


def test_a_discarded_entry_gives_its_weight_back() -> None:
    cache: WeightedLRU[str, str] = WeightedLRU(10, 6, 6, lambda key, value: len(value))
    cache.put("a", "123")
    cache.discard("a")
    cache.discard("never cached")

    cache.put("b", "123456")

    assert (cache.get("a"), cache.get("b"), len(cache)) == (None, "123456", 1)
