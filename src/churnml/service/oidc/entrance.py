"""The way in by the identity provider: out with an attempt, back with a code, and what becomes of it."""

from __future__ import annotations

import logging
import os
import ssl
from collections.abc import Callable, Mapping
from threading import BoundedSemaphore
from typing import TypeVar
from urllib.parse import quote, urlencode

from sqlalchemy import Engine

from churnml.config import OidcConfig, ServeConfig
from churnml.database.audit import audit, hold
from churnml.database.identities import use_up
from churnml.database.throttle import try_login
from churnml.errors import ProviderError, SignInRefusedError
from churnml.service.access import Caller
from churnml.service.oidc.asking import Asker, Json
from churnml.service.oidc.attempt import Attempt, begin
from churnml.service.oidc.id_token import Expected, checked
from churnml.service.oidc.letting_in import Entered, let_in
from churnml.service.oidc.provider import Provider

VARIABLE = "CHURNML_OIDC_SECRET"
_AT_ONCE = 4
"""Requests that wait for the provider at the same time, in each process."""
_NOBODY = Caller("person", "unknown", frozenset())
_LOG = logging.getLogger(__name__)


Answered = TypeVar("Answered")


class Entrance:
    """Lets people in whom the identity provider knows.

    Parameters
    ----------
    engine : sqlalchemy.Engine
        Where people and sessions are.
    oidc : OidcConfig
        Who the provider is, and whom it may send.
    hours : int
        How long a session lasts.
    provider : Provider
        Answers what is asked of it.
    now : callable
        Gives the instant, microseconds UTC.
    """

    def __init__(
        self, engine: Engine, oidc: OidcConfig, hours: int, provider: Provider, now: Callable[[], int]
    ) -> None:
        self._engine, self._oidc, self._provider, self._now = engine, oidc, provider, now
        self._hours = hours
        self._places = BoundedSemaphore(_AT_ONCE)
        self.name = oidc.name

    def begin(self, way_back: str, redirect_uri: str, address: str) -> tuple[Attempt, str]:
        """Return a new attempt to sign in, and where its browser is to go with it.

        Raises
        ------
        SignInRefusedError
            If the provider does not answer.
        """
        attempt = begin(way_back, self._now())
        try:
            where = self._alone(self._provider.published).authorization
        except SignInRefusedError as refusal:
            with self._engine.begin() as connection:
                wait = try_login(connection, None, address, now=self._now())
            if not wait:
                self._tell(refusal, address)
            raise
        asked = {
            "response_type": "code",
            "client_id": self._oidc.client_id,
            "redirect_uri": redirect_uri,
            "scope": " ".join(("openid", *self._oidc.scopes)),
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": attempt.challenge,
            "code_challenge_method": "S256",
        }
        return attempt, f"{where}{'&' if '?' in where else '?'}{urlencode(asked, quote_via=quote)}"

    def finish(self, attempt: Attempt | None, answer: Mapping[str, str], redirect_uri: str, address: str) -> Entered:
        """Open a session for whom the provider vouches for.

        Parameters
        ----------
        attempt : Attempt or None
            What the cookie of this browser holds.
        answer : mapping of str to str
            The query that the provider sent the browser back with.
        redirect_uri : str
            Where it was sent back to.
        address : str
            Of the client, for the audit log and its throttle.

        Raises
        ------
        SignInRefusedError
            If anything is not as it must be; the audit log has an entry of it, unless the address has to wait.
        """
        with self._engine.begin() as connection:
            wait = try_login(connection, None, address, now=self._now())
        if wait:
            raise SignInRefusedError("wait")
        try:
            ours = self._used_up(attempt, answer.get("state", ""))
            claims = self._alone(lambda: self._vouched(ours, answer, redirect_uri))
            return let_in(self._engine, self._oidc, claims, hours=self._hours, address=address, now=self._now())
        except SignInRefusedError as refusal:
            self._tell(refusal, address)
            raise

    def way_out(self) -> str | None:
        """Return where a person signs out of the provider itself, if it has said so; it is not asked now."""
        known = self._provider.known
        if known is None or known.end_session is None:
            return None
        mark = "&" if "?" in known.end_session else "?"
        return f"{known.end_session}{mark}{urlencode({'client_id': self._oidc.client_id})}"

    def _used_up(self, attempt: Attempt | None, state: str) -> Attempt:
        """Return the attempt of this browser that has come back, and have nobody come back with it again."""
        if attempt is None or not attempt.is_of(state):
            raise SignInRefusedError("expired", "state")
        with self._engine.begin() as connection:
            hold(connection)
            if not use_up(connection, state, now=self._now(), expires_at=attempt.expires_at):
                raise SignInRefusedError("expired", "state.used")
        return attempt

    def _vouched(self, attempt: Attempt, answer: Mapping[str, str], redirect_uri: str) -> Json:
        """Return the claims of who comes back."""
        oidc = self._oidc
        named = answer.get("iss")
        if named is not None and named != oidc.issuer:
            raise SignInRefusedError("token", "answer.iss")
        if "error" in answer:
            cancelled = answer["error"] == "access_denied"
            raise SignInRefusedError("cancelled", "answer.access_denied" if cancelled else "answer.error")
        if named is None and self._provider.published().names_itself:
            raise SignInRefusedError("token", "answer.iss")
        if not answer.get("code"):
            raise SignInRefusedError("token", "answer.code")
        token = self._provider.exchange(answer["code"], attempt.verifier, redirect_uri)
        expected = Expected(oidc.issuer, oidc.client_id, attempt.nonce, attempt.begun_at, self._now())
        return checked(token, self._provider.keys, expected)

    def _alone(self, ask: Callable[[], Answered]) -> Answered:
        """Ask the provider while few others do, and have a provider that is gone for a refusal."""
        if not self._places.acquire(blocking=False):
            raise SignInRefusedError("gone", "provider.busy")
        try:
            return ask()
        except ProviderError as error:
            _LOG.warning("%s", error)
            raise SignInRefusedError("gone", "provider") from error
        finally:
            self._places.release()

    def _tell(self, refusal: SignInRefusedError, address: str) -> None:
        """Write down why somebody was not let in, in a word of ours; nothing that came with them is kept."""
        _LOG.warning("%s", refusal)
        about = {"address": address, "by": "oidc", "why": refusal.detail}
        with self._engine.begin() as connection:
            audit(connection, _NOBODY, "login.failed", about, at=self._now())


def make_entrance(
    engine: Engine, settings: ServeConfig, oidc: OidcConfig, trust: ssl.SSLContext, now: Callable[[], int]
) -> Entrance:
    """Return the way in by the provider of some settings, which is not asked before somebody wants in.

    Parameters
    ----------
    engine : sqlalchemy.Engine
        Where people and sessions are.
    settings : ServeConfig
        How long sessions last.
    oidc : OidcConfig
        Who the provider is.
    trust : ssl.SSLContext
        Whose certificates are believed.
    now : callable
        Gives the instant, microseconds UTC.
    """
    hours = min(oidc.session_hours or settings.session_hours, settings.session_hours)
    provider = Provider(oidc, os.environ.get(VARIABLE, "").strip(), Asker(trust), now)
    return Entrance(engine, oidc, hours, provider, now)
