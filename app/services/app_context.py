"""The dependencies of one process, for both APIs."""

from dataclasses import dataclass, field
from datetime import timedelta

from app.config import PasswordPolicy
from app.db import Database
from app.security import session_tokens, tickets
from app.security.fair_queue import FairQueue
from app.security.input_digest import InputDigest
from app.security.passwords import PasswordHasher
from app.security.seal_key import SealKey
from app.services import api_tokens, quotas
from app.services.anonymous_reads import AnonymousReads
from app.services.identity_provider import IdentityProvider
from app.services.login_throttle import LoginThrottle
from app.services.signing_keys import KeyStore


@dataclass(frozen=True, slots=True)
class AppContext:
    """The dependencies of one process. With a `provider` it checks all passwords, and stored hashes are not used."""

    database: Database
    hasher: PasswordHasher
    signer: session_tokens.TokenSigner
    key_store: KeyStore
    password_policy: PasswordPolicy | None
    tickets: tickets.TicketSigner
    storage_policy: quotas.StoragePolicy
    throttle: LoginThrottle
    last_used: api_tokens.LastUsedRecorder
    api_token_lifetime: timedelta | None = None
    provider: IdentityProvider | None = None
    has_personal_orgs: bool = False
    group_contact: str | None = None
    input_digest: InputDigest = field(kw_only=True)
    seal_key: SealKey = field(kw_only=True)
    anonymous_reads: AnonymousReads = field(kw_only=True)

    @property
    def queue(self) -> FairQueue:
        """Return the queue in which password checks wait."""
        return self.hasher.queue if self.provider is None else self.provider.queue
