"""One request to one endpoint: to an address that was checked, within fifteen seconds, and its answer in a word.

Of an answer the status and `Retry-After` are looked at. Its body is not read, not kept and not logged; redirects are
not followed, and no proxy of the environment stands in between, for it would resolve the name again.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cache

import httpx

import churnml
from churnml.errors import UsageError
from churnml.service.push.destination import Destination, Resolve, destination

CONNECT_SECONDS, WHOLE_SECONDS = 5.0, 15.0
_MOST_ADDRESSES = 3
_GONE = 410


@dataclass(frozen=True)
class Answer:
    """What became of a request.

    Parameters
    ----------
    status : int or None
        Of the answer, if there was one.
    problem : {'address', 'connection', 'tls', 'timeout', 'redirect', 'gone', 'status'} or None
        Why the message was not delivered; None where it was.
    retry_after : str or None
        The header, as it came.
    """

    status: int | None
    problem: str | None
    retry_after: str | None = None


@cache
def _trust() -> ssl.SSLContext:
    """Return whom we trust: the authorities that browsers do, and those of this machine (`SSL_CERT_FILE`).

    They are read once a process, which takes as long as the rest of a service's start in it.
    """
    trust = httpx.create_ssl_context(trust_env=False)
    trust.load_default_certs()
    return trust


@dataclass(frozen=True)
class Sender:
    """Sends requests.

    Parameters
    ----------
    allowed : collection of str
        Hosts that may be private: `webhook_allowed_hosts`.
    resolve : callable, optional
        As `destination` takes it.
    whole_seconds : float
        How long one request may take in all, once the name is resolved.
    trust : ssl.SSLContext
        Whose certificates are believed.
    """

    allowed: Collection[str] = ()
    resolve: Resolve | None = None
    whole_seconds: float = WHOLE_SECONDS
    trust: ssl.SSLContext = field(default_factory=_trust)

    def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Send a message, and tell what became of it; nothing that the other side does raises here."""
        try:
            where = destination(url, self.allowed, self.resolve)
        except UsageError:
            return Answer(None, "address")
        try:
            return asyncio.run(self._within_its_time(where, headers, body))
        except TimeoutError:
            return Answer(None, "timeout")

    async def _within_its_time(self, where: Destination, headers: Mapping[str, str], body: bytes) -> Answer:
        # httpx limits each step alone: an answer of one letter every few seconds would go on for ever
        async with asyncio.timeout(self.whole_seconds):
            return await self._first_that_listens(where, headers, body)

    async def _first_that_listens(self, where: Destination, headers: Mapping[str, str], body: bytes) -> Answer:
        answer = Answer(None, "connection")
        for address in where.addresses[:_MOST_ADDRESSES]:
            try:
                return await self._ask(where, address, headers, body)
            except httpx.ConnectTimeout:
                answer = Answer(None, "timeout")
            except httpx.ConnectError as error:
                if _is_of_tls(error):
                    return Answer(None, "tls")
            except httpx.TimeoutException:
                return Answer(None, "timeout")
            except httpx.HTTPError:
                return Answer(None, "connection")
        return answer

    async def _ask(self, where: Destination, address: str, headers: Mapping[str, str], body: bytes) -> Answer:
        timeout = httpx.Timeout(self.whole_seconds, connect=CONNECT_SECONDS)
        options = {"verify": self.trust, "trust_env": False, "follow_redirects": False, "timeout": timeout}
        at = f"[{address}]" if ":" in address else address
        async with httpx.AsyncClient(**options) as client:  # type: ignore[arg-type]  # each is of its own type
            asked = client.build_request(
                "POST",
                f"{where.scheme}://{at}:{where.port}{where.target}",
                content=body,
                headers={**headers, **_ours(where)},
                extensions={"sni_hostname": where.host},
            )
            answer = await client.send(asked, stream=True)
            await answer.aclose()
        return _read(answer.status_code, answer.headers.get("retry-after"))


def _ours(where: Destination) -> dict[str, str]:
    named = f"[{where.host}]" if ":" in where.host else where.host
    usual = where.port == (443 if where.scheme == "https" else 80)
    return {
        "host": named if usual else f"{named}:{where.port}",
        "content-type": "application/json",
        "user-agent": f"churnml/{churnml.__version__}",
        "accept": "*/*",
        "accept-encoding": "identity",
        "connection": "close",
    }


def _read(status: int, retry_after: str | None) -> Answer:
    if httpx.codes.is_success(status):
        return Answer(status, None)
    word = "gone" if status == _GONE else "redirect" if httpx.codes.is_redirect(status) else "status"
    return Answer(status, word, retry_after)


def _is_of_tls(error: BaseException) -> bool:
    """Tell whether a failure comes of TLS, looking at what caused it."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLError):
            return True
        seen = seen.__cause__ or seen.__context__
    return False
