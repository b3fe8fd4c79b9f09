"""Texts that clients name by their hash: they send each once and only its hash from then on."""

import sys

from app.caching import WeightedLRU
from app.domain.errors import PersistedQueryNotFound

MAX_TEXTS = 1_000
MAX_CHARACTERS = 8 * 1_048_576  # bytes
LARGEST = 131_072  # bytes

_Key = tuple[int | None, str]


class PersistedTexts:
    """The texts of one worker, the most recent ones.

    A text without strings and comments is everybody's: who finds it here learns that somebody has asked it, and no
    more. Any other may hold a name or a password, and whoever guesses it could try here whether she is right: so it
    is its sender's alone.
    """

    def __init__(self, size: int = MAX_TEXTS, room: int = MAX_CHARACTERS, largest: int = LARGEST) -> None:
        self._texts: WeightedLRU[_Key, str] = WeightedLRU(size, room, largest, lambda key, text: sys.getsizeof(text))

    def text(self, sha256: str, user_id: int | None) -> str:
        """The text of a hash; raises PersistedQueryNotFound."""
        found = self._texts.get((None, sha256)) or self._texts.get((user_id, sha256))
        if found is None:
            raise PersistedQueryNotFound
        return found

    def keep(self, sha256: str, text: str, user_id: int | None) -> None:
        """Remember a valid text for a user. Strangers could fill the store with what nobody will ask again."""
        if user_id is not None:
            self._texts.put((user_id if '"' in text or "#" in text else None, sha256), text)
