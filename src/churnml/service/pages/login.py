"""The page to sign in on, and the way out; it has no JSON twin, for a program asks with a key."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from churnml.database.tokens import new_token
from churnml.errors import UnauthenticatedError
from churnml.service import signing_in
from churnml.service.access import CHALLENGE, Caller, requires
from churnml.service.clock import asked_at
from churnml.service.forms import carries_token, fields, same_origin, token_for, way_back
from churnml.service.pages.rendering import render

router = APIRouter()


@router.get("/login")
def login(request: Request, once: str = "", next: str = "/") -> Response:  # noqa: A002  # as the address says it
    """Show the form; with a link of this machine, let in at once."""
    if not once:
        return _form(request, next)
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
    answer = RedirectResponse("/login", 303)
    answer.delete_cookie(state.credentials.cookie, secure=state.credentials.public, httponly=True, samesite="lax")
    return answer


def _is_in(request: Request) -> bool:
    """Tell whether a browser has a session already: whoever opens a link again has used it up themselves."""
    try:
        request.app.state.credentials.find(request.headers, asked_at(request))
    except UnauthenticatedError:
        return False
    return True


def _form(request: Request, back: str, problem: str = "", *, status: int = 200, minutes: int = 0) -> HTMLResponse:
    """Return `login.html`, which shows the token of the form, the way back, and what went wrong the last time."""
    secret = request.cookies.get(_cookie(request)) or new_token()  # kept, so that two open pages both work
    context = {"form_token": token_for(secret), "way_back": way_back(back), "wrong": problem, "minutes": minutes}
    answer = render(request, "login.html", context, status)
    public = request.app.state.credentials.public
    answer.set_cookie(_cookie(request), secret, httponly=True, samesite="strict", secure=public)
    return answer


def _let_in(request: Request, token: str, back: str) -> RedirectResponse:
    state = request.app.state
    answer = RedirectResponse(way_back(back), 303, {"cache-control": "no-store"})
    seconds = state.settings.session_hours * 3600
    answer.set_cookie(
        state.credentials.cookie, token, max_age=seconds, httponly=True, samesite="lax", secure=state.credentials.public
    )
    answer.delete_cookie(_cookie(request), secure=state.credentials.public, httponly=True, samesite="strict")
    return answer


def _cookie(request: Request) -> str:
    return "__Host-churnml_form" if request.app.state.credentials.public else "churnml_form"
