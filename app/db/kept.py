"""What was read and still holds: all is forgotten as soon as somebody commits, whoever and in whatever process."""

from typing import Any, Generic, TypeVar
from weakref import WeakKeyDictionary

from app.db.door import Database

K = TypeVar("K")
V = TypeVar("V")


class Kept(Generic[K, V]):
    """Values by key, for each database apart; `most` at once."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._known: WeakKeyDictionary[Database, tuple[Any, dict[K, V]]] = WeakKeyDictionary()

    async def at_this_version(self, database: Database) -> dict[K, V]:
        """What holds now. What is read after this may be put there: it is at least as new as the version is."""
        version = await database.version()
        found = self._known.get(database)
        if found is None or found[0] != version or len(found[1]) > self.most:
            found = self._known[database] = (version, {})
        return found[1]
