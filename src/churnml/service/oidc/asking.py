"""One question to the identity provider and its answer as JSON, within five seconds and half a megabyte.

Unlike where a webhook goes, which whoever administers may name, the provider is named in configs/serve.yaml by whoever
runs the service: it may be private, and its name is not pinned to an address. Redirects are not followed, and no proxy
of the environment stands in between.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

import churnml
from churnml.errors import ProviderError

WHOLE_SECONDS = 5.0
MOST_BYTES = 500_000
Json = dict[str, Any]  # Any: JSON of another's making; each reader checks what it takes


@dataclass(frozen=True)
class Asker:
    """Asks the provider.

    Parameters
    ----------
    trust : ssl.SSLContext
        Whose certificates are believed.
    whole_seconds : float
        How long one question and its answer may take.
    """

    trust: ssl.SSLContext
    whole_seconds: float = WHOLE_SECONDS

    def get(self, url: str) -> Json:
        """Return what is at an address.

        Raises
        ------
        ProviderError
            If nothing answers in time, or what does is no JSON object with status 200.
        """
        status, body = self._ask("GET", url, None, {})
        if status != httpx.codes.OK:
            raise ProviderError(f"the identity provider must answer with 200, got {status}; see that `issuer` is right")
        return body

    def post(self, url: str, form: Mapping[str, str], headers: Mapping[str, str]) -> tuple[int, Json]:
        """Return the status of an answer to a form, and its body.

        Raises
        ------
        ProviderError
            If nothing answers in time, or what does is no JSON object.
        """
        return self._ask("POST", url, form, headers)

    def _ask(self, method: str, url: str, form: Mapping[str, str] | None, more: Mapping[str, str]) -> tuple[int, Json]:
        try:
            status, body = asyncio.run(self._within_its_time(method, url, form, more))
        except (TimeoutError, httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            kind = type(error).__name__
            raise ProviderError(f"the identity provider must answer, got {kind}; try again in a minute") from error
        return status, _object(body)

    async def _within_its_time(
        self, method: str, url: str, form: Mapping[str, str] | None, more: Mapping[str, str]
    ) -> tuple[int, bytes]:
        headers = {"accept": "application/json", "accept-encoding": "identity", **_OURS, **more}
        # httpx limits each step alone: an answer of one letter every few seconds would go on for ever
        async with (
            asyncio.timeout(self.whole_seconds),
            httpx.AsyncClient(
                verify=self.trust, trust_env=False, follow_redirects=False, timeout=self.whole_seconds
            ) as client,
            client.stream(method, url, data=form, headers=headers) as answer,
        ):
            body = bytearray()
            async for part in answer.aiter_raw():  # raw: what is packed, unasked, is not unpacked
                body += part
                if len(body) > MOST_BYTES:
                    raise ProviderError(f"an answer of the identity provider must have {MOST_BYTES:,} bytes at most")
            return answer.status_code, bytes(body)


_OURS = {"user-agent": f"churnml/{churnml.__version__}", "connection": "close"}


def _object(body: bytes) -> Json:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ProviderError("an answer of the identity provider must be JSON, got something else") from error
    if not isinstance(found, dict):
        raise ProviderError(f"an answer of the identity provider must be a JSON object, got a {type(found).__name__}")
    return found
