"""The expected errors, as one tree.

    OstiaryError
    ├── SettingsError            the start stops; the message names the setting and the reason
    ├── NewerSchema              the start stops: a newer version has migrated the database
    ├── OutdatedSchema           the start stops: migrations are missing, and it may not run them
    ├── Refusal                  the complete field or request is refused: a top-level error, an HTTP status
    │   ├── Unauthenticated      UNAUTHENTICATED     401
    │   │   └── InvalidToken     UNAUTHENTICATED     401  a token was sent, which RFC 6750 tells in a header
    │   ├── Forbidden            FORBIDDEN           403
    │   ├── Unknown              NOT_FOUND           404  a query about an object that the viewer cannot see
    │   ├── BadInput             BAD_USER_INPUT      400  an argument of a read: a page size, a cursor, a filter
    │   ├── BadRequest           BAD_REQUEST         400  the request: its body, its headers, its operation
    │   ├── TooComplex           OPERATION_TOO_COMPLEX 400
    │   ├── BodyTooLarge         BODY_TOO_LARGE      413
    │   ├── HeadersTooLarge      HEADERS_TOO_LARGE   431  too many bytes or fields, trailers and chunk lines included
    │   ├── RequestTimeout       REQUEST_TIMEOUT     408  the client did not send its request in time
    │   ├── PersistedQueryNotFound     PERSISTED_QUERY_NOT_FOUND     200  the client then sends the text
    │   ├── PersistedQueryNotSupported PERSISTED_QUERY_NOT_SUPPORTED 400
    │   ├── RateLimited          RATE_LIMITED        429  with the seconds to wait
    │   ├── TimedOut             TIMEOUT             503
    │   ├── ChangeMade           CHANGE_MADE         500  the change is committed, but its result cannot be returned
    │   ├── OutcomeUnknown       OUTCOME_UNKNOWN     503  the change may be committed or not
    │   └── Unavailable          SERVICE_UNAVAILABLE 503  another service does not answer, or this server is stopping
    │       └── Retry            RETRY               503  other changes interfered, and nothing was changed
    └── Problem                  a change is refused: an entry of a payload's `errors`, with its path
        ├── InvalidInput         INVALID_INPUT       400
        ├── NotFound             NOT_FOUND           404  also for objects that the viewer may not see
        ├── Conflict             CONFLICT            409
        │   └── OutdatedRevision CONFLICT            412  the object has changed since the client read it
        ├── Locked               LOCKED              400  the change is permitted, but the resource is locked
        ├── QuotaExceeded        QUOTA_EXCEEDED      400  the bytes exceed the quota of the org or of its owner
        └── Protected            PROTECTED           409  a built-in object, the last administrator
            └── ManagedElsewhere PROTECTED           400  the identity provider manages the accounts

`Problems` carries several problems, so that one answer names every invalid value. Any other exception is unexpected:
its text is logged, and the client receives an id.
"""

from collections.abc import Sequence
from typing import ClassVar


class OstiaryError(Exception):
    """Base of the expected errors. The message is written for users."""


class SettingsError(OstiaryError):
    """A setting is missing, unknown or unsafe."""


class NewerSchema(OstiaryError):
    """A newer version has migrated the database."""


class OutdatedSchema(OstiaryError):
    """Migrations are missing."""


class Interrupted(OstiaryError):
    """A copy into the database, or a restore of it, was interrupted, so that rows may be missing."""


class Refusal(OstiaryError):
    """The complete field or request is refused. `place` is the name of an argument and the path inside it, if known."""

    code: ClassVar[str]
    status: ClassVar[int]

    def __init__(self, message: str, *place: str | int) -> None:
        super().__init__(message)
        self.message = message
        self.place = place


class Unauthenticated(Refusal):
    """The request has no token, or its token is invalid or expired."""

    code = "UNAUTHENTICATED"
    status = 401


class InvalidToken(Unauthenticated):
    """The token of the request is invalid, expired or revoked."""


class Forbidden(Refusal):
    """The user is signed in and lacks the permission."""

    code = "FORBIDDEN"
    status = 403


class Unknown(Refusal):
    """A query names a user or a resource that does not exist, or that the viewer may not see.

    `index` is the one of the entry that names it, in a batch.
    """

    code = "NOT_FOUND"
    status = 404

    def __init__(self, noun: str, index: int = 0, *place: str | int) -> None:
        super().__init__(f"There is no such {noun}.", *place)
        self.noun, self.index = noun, index


class BadInput(Refusal):
    """An argument of a read is outside its limits."""

    code = "BAD_USER_INPUT"
    status = 400


class BadRequest(Refusal):
    """The request cannot be understood."""

    code = "BAD_REQUEST"
    status = 400


class TooComplex(Refusal):
    """A document or its variables exceed a limit.

    The arguments are the name of the limit, its maximum and the value of this request.
    """

    code = "OPERATION_TOO_COMPLEX"
    status = 400

    def __init__(self, message: str, limit: str, maximum: int, value: int) -> None:
        super().__init__(message)
        self.limit, self.maximum, self.value = limit, maximum, value


class BodyTooLarge(Refusal):
    """The body is larger than the limit."""

    code = "BODY_TOO_LARGE"
    status = 413


class HeadersTooLarge(Refusal):
    """The request line and the header fields are larger than the limit, or there are too many fields."""

    code = "HEADERS_TOO_LARGE"
    status = 431


class RequestTimeout(Refusal):
    """The client did not send its request in time."""

    code = "REQUEST_TIMEOUT"
    status = 408


class PersistedQueryNotFound(Refusal):
    """No document is stored for a hash. Clients compare this message, and some fail on any status but 200."""

    code = "PERSISTED_QUERY_NOT_FOUND"
    status = 200

    def __init__(self) -> None:
        super().__init__("PersistedQueryNotFound")


class PersistedQueryNotSupported(Refusal):
    """The hash belongs to an unsupported protocol. Clients compare this message, then send complete texts."""

    code = "PERSISTED_QUERY_NOT_SUPPORTED"
    status = 400

    def __init__(self) -> None:
        super().__init__("PersistedQueryNotSupported")


class RateLimited(Refusal):
    """Too many requests at once. `retry_after` is the number of seconds until the next try."""

    code = "RATE_LIMITED"
    status = 429

    def __init__(self, message: str, retry_after: int = 1) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class TimedOut(Refusal):
    """The operation exceeded its time limit."""

    code = "TIMEOUT"
    status = 503


class ChangeMade(Refusal):
    """The change is committed, but its result could not be read or sent. The client must not repeat the change."""

    code = "CHANGE_MADE"
    status = 500


class OutcomeUnknown(Refusal):
    """The connection to the database was lost during the commit, and its outcome could not be determined."""

    code = "OUTCOME_UNKNOWN"
    status = 503


class Unavailable(Refusal):
    """A required service does not answer or answers with invalid data, or this server is stopping.

    `retry_after` is the number of seconds until the next try.
    """

    code = "SERVICE_UNAVAILABLE"
    status = 503
    retry_after = 1


class Retry(Unavailable):
    """Other changes interfered with this one, also when the server tried it again. Nothing was changed.

    The same request can be sent again after `retry_after` seconds.
    """

    code = "RETRY"

    def __init__(self, message: str = "Other requests change the same data. Nothing was changed. Try again.") -> None:
        super().__init__(message)


class Problem(OstiaryError):
    """One reason why a change is refused. `path` is the path of the invalid value inside the input."""

    code: ClassVar[str]
    status: ClassVar[int]

    def __init__(self, message: str, path: Sequence[str | int] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.path = tuple(map(str, path))

    def under(self, *prefix: str | int) -> "Problem":
        """Return the same problem with a prefix before its path."""
        return type(self)(self.message, (*prefix, *self.path))


class InvalidInput(Problem):
    """A value has an invalid format or size."""

    code = "INVALID_INPUT"
    status = 400


class NotFound(Problem):
    """The object does not exist, or the viewer may not see it."""

    code = "NOT_FOUND"
    status = 404


class Conflict(Problem):
    """The change conflicts with the current state."""

    code = "CONFLICT"
    status = 409


class OutdatedRevision(Conflict):
    """The object has another revision than the one that the client has read."""

    status = 412


class Locked(Problem):
    """The change is permitted, but the resource is locked."""

    code = "LOCKED"
    status = 400

    def __init__(
        self, message: str = "The resource is locked. Unlock it first.", path: Sequence[str | int] = ()
    ) -> None:
        super().__init__(message, path)


class QuotaExceeded(Problem):
    """The bytes exceed the quota of the org or of its owner."""

    code = "QUOTA_EXCEEDED"
    status = 400


class Protected(Problem):
    """The object is built in or the last of its kind, and may not be changed in this manner."""

    code = "PROTECTED"
    status = 409


class ManagedElsewhere(Protected):
    """The identity provider manages the accounts, so they cannot be changed here."""

    status: ClassVar[int] = 400

    def __init__(self, message: str = "", path: Sequence[str | int] = ()) -> None:
        super().__init__(message or "Users, roles and passwords are managed by the identity provider.", path)


class Problems(OstiaryError):
    """All problems of one change. Nothing was written."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(problem.message for problem in problems))
        self.problems = tuple(problems)


CODES = frozenset(kind.code for kind in list(globals().values()) if isinstance(kind, type) and hasattr(kind, "code"))
"""The codes of all classes above; the classes elsewhere have the code of one of them."""
