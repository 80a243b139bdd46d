"""Which language a reader wants: what the address says, else what was chosen before, else what the browser asks for."""

from __future__ import annotations

from urllib.parse import urlencode

from fastapi import Request, Response

from churnml.wording import LANGUAGES, Language

_COOKIE = "lang"
_ONE_YEAR_SECONDS = 365 * 24 * 3600


def language_of(request: Request) -> Language:
    """Return the language to answer in; English if nothing is asked for that we speak."""
    for asked in (request.query_params.get("lang"), request.cookies.get(_COOKIE)):
        for language in LANGUAGES:
            if asked == language:
                return language
    return _from_browser(request.headers.get("accept-language", ""))


def remember(request: Request, response: Response) -> None:
    """Keep a language chosen by the address for the visits to come."""
    asked = request.query_params.get("lang")
    if asked in LANGUAGES:
        response.set_cookie(_COOKIE, str(asked), max_age=_ONE_YEAR_SECONDS, httponly=True, samesite="lax")


def here_in(request: Request, language: Language) -> str:
    """Return the address of this very page in another language, everything else kept."""
    query = [(name, value) for name, value in request.query_params.multi_items() if name != "lang"]
    return "?" + urlencode([*query, ("lang", language)])


def _from_browser(header: str) -> Language:
    wishes = []
    for wish in header.split(",")[:20]:
        tag, _, quality = wish.partition(";")
        wishes.append((-_quality(quality), tag.strip().lower()[:2]))
    for refused, tag in sorted(wishes, key=lambda wish: wish[0]):
        for language in LANGUAGES:
            if tag == language and refused < 0:
                return language
    return "en"


def _quality(text: str) -> float:
    try:
        return float(text.strip().removeprefix("q=") or 1.0)
    except ValueError:
        return 0.0
