"""Choice of the media type of a response from the header `Accept`."""

from collections.abc import Sequence
from functools import lru_cache

from app.graphql.http.messages import NotAcceptable
from app.http import RequestHeaders
from app.http.weights import weights

GRAPHQL = "application/graphql-response+json"
JSON = "application/json"
HTML = "text/html"


def negotiate(headers: RequestHeaders, offers: tuple[str, ...]) -> str:
    """Return the best offer.

    A client that names both JSON types gets the newer one, a client that names none plain JSON.
    """
    header = headers.get(b"accept")
    is_usual = header is None or len(header) <= MAX_CACHED_BYTES
    return _cached_choice(header, offers) if is_usual else _choose(header, offers)


MAX_CACHED_BYTES = 512
"""Length of a header whose offer is cached. Browsers send about 150 bytes."""


def _choose(header: bytes | None, offers: tuple[str, ...]) -> str:
    ranges = list(weights((header or b"").decode("latin-1").strip() or "*/*"))
    best = max(offers, key=lambda offer: (*_quality(offer, ranges), _preference(offer, ranges)))
    if _quality(best, ranges)[0] == 0:
        raise NotAcceptable(f"Only {GRAPHQL} and {JSON} are supported. Name one of them in `Accept`.")
    return best


_cached_choice = lru_cache(maxsize=256)(_choose)
"""The best offer, cached since few different headers occur."""


def _quality(offer: str, ranges: Sequence[tuple[str, float]]) -> tuple[float, int]:
    """Return the weight and the precision of an offer. The most precise matching range decides."""
    names = ("*/*", f"{offer.partition('/')[0]}/*", offer)
    matches = [(names.index(name), weight) for name, weight in ranges if name in names]
    precision, weight = max(matches, default=(0, 0.0))
    return weight, precision


def _preference(offer: str, ranges: Sequence[tuple[str, float]]) -> int:
    if any(name == offer for name, _ in ranges):
        return (HTML, JSON, GRAPHQL).index(offer)
    return (HTML, GRAPHQL, JSON).index(offer)
