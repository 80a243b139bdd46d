"""Signing in by the identity provider: the way there and the way back; neither shows a page of its own.

Whatever happens, the browser is sent on: to where the person wanted to go, or to the page to sign in on, which says
what went wrong. So no code of the provider stays in the address.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from churnml.errors import NotFoundError, SignInRefusedError, UsageError
from churnml.service.access import PROVIDER_BACK, PROVIDER_LOGIN
from churnml.service.clock import asked_at
from churnml.service.forms import way_back
from churnml.service.oidc.attempt import LIFE_SECONDS, of_cookie

if TYPE_CHECKING:
    from churnml.service.oidc.entrance import Entrance

router = APIRouter()
_NONE = "nobody signs in by an identity provider here; `oidc` in configs/serve.yaml names one"
_HOST = re.compile(r"([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?")
_NOT_KEPT = {"cache-control": "no-store"}


@router.get(PROVIDER_LOGIN)
async def go(request: Request, next: str = "/") -> Response:  # noqa: A002  # as the address says it
    """Send a browser to the provider, with a cookie by which it is known when it comes back."""
    entrance = _entrance(request)
    back = way_back(next)
    try:
        attempt, where = await run_in_threadpool(entrance.begin, back, _redirect_uri(request), _address(request))
    except SignInRefusedError as refusal:
        return _refused(refusal, back)
    answer = RedirectResponse(where, 303, _NOT_KEPT)
    # lax: it comes along when the provider sends the browser back, as with `strict` it would not
    answer.set_cookie(
        _cookie(request),
        attempt.as_cookie(),
        max_age=LIFE_SECONDS,
        httponly=True,
        samesite="lax",
        secure=_public(request),
    )
    return answer


@router.get(PROVIDER_BACK)
async def come_back(request: Request) -> Response:
    """Let in whom the provider vouches for."""
    entrance = _entrance(request)
    attempt = of_cookie(request.cookies.get(_cookie(request), ""), asked_at(request))
    back = way_back(attempt.way_back) if attempt is not None else "/"
    query = dict(request.query_params)
    answer: Response
    try:
        entered = await run_in_threadpool(entrance.finish, attempt, query, _redirect_uri(request), _address(request))
    except SignInRefusedError as refusal:
        answer = _refused(refusal, back)
    else:
        answer = RedirectResponse(back, 303, _NOT_KEPT)
        request.app.state.credentials.give(answer, entered.token, entered.hours)
    answer.delete_cookie(_cookie(request), secure=_public(request), httponly=True, samesite="lax")
    return answer


def _refused(refusal: SignInRefusedError, back: str) -> RedirectResponse:
    return RedirectResponse("/login?" + urlencode({"refused": refusal.reason, "next": back}), 303, _NOT_KEPT)


def _entrance(request: Request) -> Entrance:
    entrance: Entrance | None = request.app.state.entrance
    if entrance is None:
        raise NotFoundError(_NONE)
    return entrance


def _redirect_uri(request: Request) -> str:
    """Return where the provider is to send the browser: this service under the name that it was asked by.

    Only our own names get as far as here (`guard.py`), and the provider takes only those that it was told of.
    """
    scheme, host = "https" if _public(request) else request.url.scheme, request.headers.get("host", "")
    if not _HOST.fullmatch(host):
        raise UsageError("`Host` must be a name, and a port if need be, found more; ask by the address of this service")
    return f"{scheme}://{host}{PROVIDER_BACK}"


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


def _public(request: Request) -> bool:
    return bool(request.app.state.credentials.public)


def _cookie(request: Request) -> str:
    return "__Host-churnml_oidc" if _public(request) else "churnml_oidc"
