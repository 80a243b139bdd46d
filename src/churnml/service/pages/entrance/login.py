"""The page to sign in on, and the way out; it has no JSON twin, for a program asks with a key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from churnml.database.identities import is_linked
from churnml.database.tokens import new_token
from churnml.errors import UnauthenticatedError
from churnml.service import signing_in
from churnml.service.access import CHALLENGE, PROVIDER_LOGIN, Caller, requires
from churnml.service.clock import asked_at
from churnml.service.forms import carries_token, fields, masked, same_origin, token_for, way_back
from churnml.service.pages.language import language_of
from churnml.service.pages.rendering import render

if TYPE_CHECKING:
    from churnml.service.oidc.entrance import Entrance

router = APIRouter()
_REFUSED = {
    "cancelled": 403, "expired": 403, "token": 403, "role": 403, "unknown": 403, "name": 403, "gone": 503, "wait": 429,
}  # fmt: skip
"""Why the identity provider's way in was closed, and the status of the page that says so."""


@router.get("/login")
def login(
    request: Request,
    once: str = "",
    next: str = "/",  # noqa: A002  # as the address says it
    refused: str = "",
    left: str = "",
) -> Response:
    """Show the form; with a link of this machine, let in at once.

    `refused` is why the identity provider's way in was closed, `left` that somebody who came by it has signed out.
    """
    if not once:
        status = _REFUSED.get(refused, 200)
        return _form(request, next, refused if refused in _REFUSED else "", status=status, left=bool(left))
    state = request.app.state
    token = signing_in.enter_by_link(state.engine, state.settings, once, asked_at(request))
    if token is not None:
        return _let_in(request, token, next)
    return RedirectResponse(way_back(next), 303) if _is_in(request) else _form(request, next, "link", status=403)


@router.post("/login")
async def sign_in(request: Request) -> Response:
    """Let in who knows name and password; tell nobody which of the two was wrong."""
    body = await request.body()
    given = fields(request.headers, body)
    back, secret = given.get("next", "/"), request.cookies.get(_cookie(request), "")
    if not secret or not same_origin(request.headers) or not carries_token(request.headers, body, secret):
        return _form(request, back, "forged", status=403)
    state, address = request.app.state, request.client.host if request.client else ""
    name, password = given.get("name", ""), given.get("password", "")
    ended = await run_in_threadpool(
        signing_in.sign_in, state.engine, state.settings, name, password, address, asked_at(request)
    )
    if ended.token is not None:
        return _let_in(request, ended.token, back)
    if ended.wait_seconds:
        answer = _form(request, back, "wait", status=429, minutes=-(-ended.wait_seconds // 60))
        answer.headers["retry-after"] = str(ended.wait_seconds)
        return answer
    answer = _form(request, back, "wrong", status=401)
    answer.headers["www-authenticate"] = CHALLENGE
    return answer


@router.post("/logout")
def logout(request: Request, caller: Annotated[Caller, Depends(requires("read"))]) -> RedirectResponse:
    """End the session of this browser."""
    state = request.app.state
    if request.state.session is not None:
        signing_in.sign_out(state.engine, caller, request.state.session, asked_at(request))
    linked = state.entrance is not None and caller.kind == "person" and _came_by_provider(request, caller)
    answer = RedirectResponse("/login?left=1" if linked else "/login", 303)
    answer.delete_cookie(state.credentials.cookie, secure=state.credentials.public, httponly=True, samesite="lax")
    return answer


def _is_in(request: Request) -> bool:
    """Tell whether a browser has a session already: whoever opens a link again has used it up themselves."""
    try:
        request.app.state.credentials.find(request.headers, asked_at(request))
    except UnauthenticatedError:
        return False
    return True


def _came_by_provider(request: Request, caller: Caller) -> bool:
    with request.app.state.engine.connect() as connection:
        return is_linked(connection, caller.name)


def _form(
    request: Request, back: str, problem: str = "", *, status: int = 200, minutes: int = 0, left: bool = False
) -> HTMLResponse:
    """Return `login.html`: the form with its token and the way back, the other way in, and what went wrong before.

    `provider` is what the identity provider is called, None where there is none; `way_out` where to sign out of it, for
    somebody who has just signed out here.
    """
    secret = request.cookies.get(_cookie(request)) or new_token()  # kept, so that two open pages both work
    entrance: Entrance | None = request.app.state.entrance
    context = {
        "form_token": masked(token_for(secret)),
        "way_back": way_back(back),
        "wrong": problem,
        "minutes": minutes,
        "provider": None if entrance is None else getattr(entrance.name, language_of(request)),
        "provider_path": f"{PROVIDER_LOGIN}?{urlencode({'next': way_back(back)})}",
        "way_out": entrance.way_out() if entrance is not None and left else None,
    }
    answer = render(request, "login.html", context, status)
    public = request.app.state.credentials.public
    answer.set_cookie(_cookie(request), secret, httponly=True, samesite="strict", secure=public)
    return answer


def _let_in(request: Request, token: str, back: str) -> RedirectResponse:
    state = request.app.state
    answer = RedirectResponse(way_back(back), 303, {"cache-control": "no-store"})
    state.credentials.give(answer, token, state.settings.session_hours)
    answer.delete_cookie(_cookie(request), secure=state.credentials.public, httponly=True, samesite="strict")
    return answer


def _cookie(request: Request) -> str:
    return "__Host-churnml_form" if request.app.state.credentials.public else "churnml_form"
