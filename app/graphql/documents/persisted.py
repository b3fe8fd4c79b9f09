"""Persisted queries: clients send a text once, and then only its hash."""

import sys

from app.caching import WeightedLRU
from app.domain.errors import PersistedQueryNotFound

MAX_TEXTS = 1_000
MAX_BYTES = 8 * 1_048_576
MAX_TEXT_BYTES = 131_072

_Key = tuple[int | None, str]


class PersistedTexts:
    """The recent persisted texts of one worker.

    A text without strings and comments is shared: a hit reveals only that a user has sent it. Any other text may have a
    name or a password in it, and a shared entry would confirm a guess, so only its sender can use its hash.
    """

    def __init__(self, size: int = MAX_TEXTS, max_bytes: int = MAX_BYTES, max_text_bytes: int = MAX_TEXT_BYTES) -> None:
        self._texts: WeightedLRU[_Key, str] = WeightedLRU(
            size, max_bytes, max_text_bytes, lambda key, text: sys.getsizeof(text)
        )

    def text(self, sha256: str, user_id: int | None) -> str:
        """Return the shared text of a hash, or the one that this user stored; raises PersistedQueryNotFound."""
        text = self._texts.get((None, sha256)) or self._texts.get((user_id, sha256))
        if text is None:
            raise PersistedQueryNotFound
        return text

    def keep(self, sha256: str, text: str, user_id: int | None) -> None:
        """Store a valid text of a user. Anonymous viewers cannot fill the store."""
        if user_id is not None:
            self._texts.put((user_id if '"' in text or "#" in text else None, sha256), text)
