"""Every expected error, drawn once.

    OstiaryError
    ├── SettingsError            the start stops and says which setting and why
    ├── NewerSchema              the start stops: a newer version has migrated the database
    ├── Refusal                  the whole field or request is refused: an error at the top, an HTTP status
    │   ├── Unauthenticated      UNAUTHENTICATED     401
    │   ├── Forbidden            FORBIDDEN           403
    │   ├── Unknown              NOT_FOUND           404  a question about what does not exist, for the asker
    │   ├── BadInput             BAD_USER_INPUT      400  an argument of a read: a page size, a cursor, a filter
    │   ├── BadRequest           BAD_REQUEST         400  the request itself: its body, its headers, its operation
    │   ├── TooComplex           OPERATION_TOO_COMPLEX 400
    │   ├── BodyTooLarge         BODY_TOO_LARGE      413
    │   ├── HeadersTooLarge      HEADERS_TOO_LARGE   431  too many bytes or fields, trailers and chunk lines included
    │   ├── RequestTimeout       REQUEST_TIMEOUT     408  the client did not send its request in time
    │   ├── PersistedQueryNotFound     PERSISTED_QUERY_NOT_FOUND     200  the client sends the text then
    │   ├── PersistedQueryNotSupported PERSISTED_QUERY_NOT_SUPPORTED 400
    │   ├── RateLimited          RATE_LIMITED        429  with the seconds to wait
    │   ├── TimedOut             TIMEOUT             503
    │   ├── ChangeMade           CHANGE_MADE         500  the change is committed, but its answer cannot be given
    │   ├── OutcomeUnknown       OUTCOME_UNKNOWN     503  whether the change is committed cannot be found out
    │   └── Unavailable          SERVICE_UNAVAILABLE 503  another service does not answer; or we are stopping
    └── Problem                  a change was refused: an entry of a payload's `errors`, with its path
        ├── InvalidInput         INVALID_INPUT       400
        ├── NotFound             NOT_FOUND           404  also: not allowed to know
        ├── Conflict             CONFLICT            409
        ├── Locked               LOCKED              400  known and permitted, but locked
        ├── QuotaExceeded        QUOTA_EXCEEDED      400  the bytes pass what the org's owner may store
        └── Protected            PROTECTED           409  a built-in thing, the last administrator
            └── ManagedElsewhere PROTECTED           400  accounts are kept by the external provider

`Problems` carries several at once, so that every offender is named. Whatever is not in this tree is a surprise: its
text goes to the log, and the asker gets an id.
"""

from collections.abc import Sequence
from typing import ClassVar


class OstiaryError(Exception):
    """The root: an error that we expect and that has a sentence for a person."""


class SettingsError(OstiaryError):
    """A setting is missing, unknown or would leave a door open."""


class NewerSchema(OstiaryError):
    """The database was migrated by a newer version."""


class Refusal(OstiaryError):
    """The whole field or request is refused."""

    code: ClassVar[str]
    status: ClassVar[int]

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Unauthenticated(Refusal):
    """Nobody is signed in, or the token is no longer good."""

    code = "UNAUTHENTICATED"
    status = 401


class Forbidden(Refusal):
    """Signed in, and known not to be permitted."""

    code = "FORBIDDEN"
    status = 403


class Unknown(Refusal):
    """A question names a user or a resource that does not exist, or that the asker may not know of."""

    code = "NOT_FOUND"
    status = 404


class BadInput(Refusal):
    """An argument of a read is out of its limits."""

    code = "BAD_USER_INPUT"
    status = 400


class BadRequest(Refusal):
    """The request cannot be understood."""

    code = "BAD_REQUEST"
    status = 400


class TooComplex(Refusal):
    """A document, or what comes with it, is larger than a limit allows: which one, its number and what it is here."""

    code = "OPERATION_TOO_COMPLEX"
    status = 400

    def __init__(self, message: str, limit: str, most: int, value: int) -> None:
        super().__init__(message)
        self.limit, self.most, self.value = limit, most, value


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
    """No text is known for a hash. Clients look for this very message, and some take any other status for a failure."""

    code = "PERSISTED_QUERY_NOT_FOUND"
    status = 200

    def __init__(self) -> None:
        super().__init__("PersistedQueryNotFound")


class PersistedQueryNotSupported(Refusal):
    """A hash of another protocol than ours. Clients look for this very message, and send whole texts from then on."""

    code = "PERSISTED_QUERY_NOT_SUPPORTED"
    status = 400

    def __init__(self) -> None:
        super().__init__("PersistedQueryNotSupported")


class RateLimited(Refusal):
    """Too much at once; `retry_after` says in how many seconds it may go."""

    code = "RATE_LIMITED"
    status = 429

    def __init__(self, message: str, retry_after: int = 1) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class TimedOut(Refusal):
    """The operation took longer than it may."""

    code = "TIMEOUT"
    status = 503


class ChangeMade(Refusal):
    """The change is committed, but what it shows could not be read or sent. Nobody needs to ask for it again."""

    code = "CHANGE_MADE"
    status = 500


class OutcomeUnknown(Refusal):
    """The connection to the database was lost during the commit, and its end could not be found out."""

    code = "OUTCOME_UNKNOWN"
    status = 503


class Unavailable(Refusal):
    """Another service that we need does not answer, or answers nonsense; or we are stopping."""

    code = "SERVICE_UNAVAILABLE"
    status = 503


class Problem(OstiaryError):
    """One reason why a change was refused; `path` leads to the offender inside the input."""

    code: ClassVar[str]
    status: ClassVar[int]

    def __init__(self, message: str, path: Sequence[str | int] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.path = tuple(map(str, path))

    def under(self, *prefix: str | int) -> "Problem":
        """The same problem, seen from further out."""
        return type(self)(self.message, (*prefix, *self.path))


class InvalidInput(Problem):
    """A value is not of the form or size that is wanted."""

    code = "INVALID_INPUT"
    status = 400


class NotFound(Problem):
    """No such thing, or none that the viewer may know of: the answer is the same."""

    code = "NOT_FOUND"
    status = 404


class Conflict(Problem):
    """What is stored now stands against the change."""

    code = "CONFLICT"
    status = 409


class Locked(Problem):
    """Known and permitted, but locked."""

    code = "LOCKED"
    status = 400


class QuotaExceeded(Problem):
    """The bytes pass what the owner of the org may store."""

    code = "QUOTA_EXCEEDED"
    status = 400


class Protected(Problem):
    """A built-in thing, or the last of its kind: nobody may change it so."""

    code = "PROTECTED"
    status = 409


class ManagedElsewhere(Protected):
    """Accounts are kept by the external provider: nobody changes them here."""

    status: ClassVar[int] = 400

    def __init__(self, message: str = "", path: Sequence[str | int] = ()) -> None:
        super().__init__(message or "Users, roles and passwords are managed by the external provider.", path)


class Problems(OstiaryError):
    """Several problems of one change, all named; nothing was written."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(problem.message for problem in problems))
        self.problems = tuple(problems)
