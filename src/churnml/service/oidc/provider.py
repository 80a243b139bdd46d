"""What the provider publishes, kept for an hour, and the exchange of a code for an ID token.

References
----------
OpenID Connect Discovery 1.0, sections 3 and 4. RFC 7517, section 5 (key sets). RFC 6749, sections 2.3.1 and 4.1.3.
OpenID Connect Core 1.0, section 10.1.1: a key that is not known yet is a reason to fetch the keys anew.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Generic, TypeVar
from urllib.parse import quote_plus, urlsplit

from churnml.config import OidcConfig, is_safe_url
from churnml.errors import ProviderError, SignInRefusedError
from churnml.service.oidc.asking import Asker, Json

KEPT_SECONDS = 3600
KEYS_FLOOR_SECONDS = 30
"""Keys are not asked for again sooner, whatever a token says of its key."""
GONE_SECONDS = 5
"""For so long a provider that did not answer is not asked again."""
_PATIENCE_SECONDS = 6.0
_SECOND = 1_000_000
_LONGEST_TOKEN = 50_000
Kept = TypeVar("Kept")


@dataclass(frozen=True)
class Published:
    """What the provider says of itself.

    Parameters
    ----------
    authorization, token, keys : str
        Where browsers go, where codes are exchanged, and where its keys are.
    end_session : str or None
        Where a person signs out of the provider itself, if it says so.
    by_form : bool
        Whether it wants our secret in the form and not in a header.
    names_itself : bool
        Whether it sends its name back with each code (RFC 9207).
    """

    authorization: str
    token: str
    keys: str
    end_session: str | None
    by_form: bool
    names_itself: bool


class Lasting(Generic[Kept]):
    """A value that is fetched, kept for an hour, and fetched by one at a time.

    Parameters
    ----------
    fetch : callable
        Gives the value, or raises `ProviderError`.
    now : callable
        Gives the instant, microseconds UTC.
    """

    def __init__(self, fetch: Callable[[], Kept], now: Callable[[], int]) -> None:
        self._fetch, self._now = fetch, now
        self._value: Kept | None = None
        self._at: int | None = None
        self._failed_at: int | None = None
        self._lock = Lock()

    @property
    def known(self) -> Kept | None:
        """What was fetched last, however long ago."""
        return self._value

    def get(self, within_seconds: int = KEPT_SECONDS) -> Kept:
        """Return the value, fetched no longer ago than so many seconds.

        Raises
        ------
        ProviderError
            If the provider does not answer, or did not a few seconds ago.
        """
        if not self._lock.acquire(timeout=_PATIENCE_SECONDS):
            raise ProviderError("the identity provider must answer others first; try again in a minute")
        try:
            if self._value is not None and self._passed(self._at) < within_seconds:
                return self._value
            if self._passed(self._failed_at) < GONE_SECONDS:
                raise ProviderError(
                    "the identity provider must answer, and did not a moment ago; try again in a minute"
                )
            try:
                self._value, self._at = self._fetch(), self._now()
            except ProviderError:
                self._failed_at = self._now()
                raise
            return self._value
        finally:
            self._lock.release()

    def _passed(self, since: int | None) -> float:
        """Return the seconds since then; no end of them before the first time, and where the clock was put back."""
        passed = float("inf") if since is None else (self._now() - since) / _SECOND
        return passed if passed >= 0 else float("inf")


class Provider:
    """The identity provider.

    Parameters
    ----------
    settings : OidcConfig
        Who it is, and who we are to it.
    secret : str
        What it knows us by; empty where PKCE alone must do.
    ask : Asker
        Asks it.
    now : callable
        Gives the instant, microseconds UTC.
    """

    def __init__(self, settings: OidcConfig, secret: str, ask: Asker, now: Callable[[], int]) -> None:
        self._settings, self._secret, self._ask = settings, secret, ask
        self._published = Lasting(self._discover, now)
        self._keys = Lasting(self._fetch_keys, now)

    @property
    def known(self) -> Published | None:
        """What it said of itself the last time, without asking it."""
        return self._published.known

    def published(self) -> Published:
        """Return what the provider says of itself.

        Raises
        ------
        ProviderError
            If it does not answer, or does not say what it must.
        """
        return self._published.get()

    def keys(self, *, anew: bool = False) -> list[Json]:
        """Return the provider's keys; where one is missing, those of the last half minute.

        Raises
        ------
        ProviderError
            If it does not answer, or does not say what it must.
        """
        return self._keys.get(KEYS_FLOOR_SECONDS if anew else KEPT_SECONDS)

    def exchange(self, code: str, verifier: str, redirect_uri: str) -> str:
        """Return the ID token for a code.

        Raises
        ------
        SignInRefusedError
            If the provider refuses the code, or sends no ID token.
        ProviderError
            If it does not answer.
        """
        published, ours = self.published(), self._settings.client_id
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
        }
        headers = {}
        if self._secret and not published.by_form:
            pair = f"{quote_plus(ours)}:{quote_plus(self._secret)}"
            headers["authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        else:
            form |= {"client_id": ours} | ({"client_secret": self._secret} if self._secret else {})
        status, body = self._ask.post(published.token, form, headers)
        if status == 400 and body.get("error") == "invalid_grant":  # RFC 6749, section 5.2
            raise SignInRefusedError("token", "code.refused")
        if status != 200:
            raise ProviderError(
                f"the identity provider must exchange codes, got {status}; is the client's secret right?"
            )
        token = body.get("id_token")
        if not isinstance(token, str) or len(token) > _LONGEST_TOKEN:
            raise SignInRefusedError("token", "id_token.missing")
        return token

    def _discover(self) -> Published:
        issuer = self._settings.issuer
        body = self._ask.get(issuer.rstrip("/") + "/.well-known/openid-configuration")
        if body.get("issuer") != issuer:
            raise ProviderError("`issuer` must be what the provider calls itself, found another; copy it from there")
        challenges = body.get("code_challenge_methods_supported")
        if isinstance(challenges, list) and "S256" not in challenges:
            raise ProviderError("the identity provider must support PKCE with S256, and says that it does not")
        methods = body.get("token_endpoint_auth_methods_supported")
        by_form = isinstance(methods, list) and "client_secret_basic" not in methods and "client_secret_post" in methods
        return Published(
            self._endpoint(body, "authorization_endpoint"),
            self._endpoint(body, "token_endpoint"),
            self._endpoint(body, "jwks_uri"),
            self._endpoint(body, "end_session_endpoint") if "end_session_endpoint" in body else None,
            by_form=by_form,
            names_itself=body.get("authorization_response_iss_parameter_supported") is True,
        )

    def _endpoint(self, body: Json, name: str) -> str:
        """Return an address that the provider publishes: by TLS as its own, on this machine only if it is itself."""
        url = body.get(name)
        if not isinstance(url, str) or not is_safe_url(url):
            raise ProviderError(f"the identity provider must publish `{name}` as an https address, and does not")
        if urlsplit(url).scheme != "https" and urlsplit(self._settings.issuer).scheme == "https":
            raise ProviderError(f"the identity provider must publish `{name}` with https as its own is, found http")
        return url

    def _fetch_keys(self) -> list[Json]:
        keys = self._ask.get(self.published().keys).get("keys")
        if not isinstance(keys, list):
            raise ProviderError("the identity provider must publish `keys`, and publishes none")
        return [key for key in keys if isinstance(key, dict)]
