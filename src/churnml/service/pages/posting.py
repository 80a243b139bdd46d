"""What a form of ours sends: read, held against the token of its session, done, and told on the page it leads back to.

Every form posts, is answered by a redirect (RFC 9110, section 15.4.4), and can be sent again by nobody who reloads.
What became of it goes along in a cookie of one visit: a word we know, and its values.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated
from urllib.parse import quote, unquote

from fastapi import Depends, Request, Response
from fastapi.responses import RedirectResponse

from churnml.database.cases import CALL_RESULTS, STATUSES
from churnml.errors import ForbiddenError, UsageError
from churnml.service.forms import FORGED, carries_token, every_field, way_back

_COOKIE = "told"
_SECONDS = 60
_MOST_TOLD = 600
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NUMBER = re.compile(r"[0-9]{1,6}")
_ANY = re.compile(r"[^\x00-\x1f]{0,300}")
_DAY_OR_NONE = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})?")
TOLD: Mapping[str, tuple[re.Pattern[str], ...]] = {
    "claimed": (_NUMBER,),
    "nobody_left": (),
    "nobody_chosen": (),
    "given": (_NUMBER, _ANY, _NUMBER),
    "given_but": (_NUMBER, _ANY, _NUMBER),
    "taken": (_ANY, _ANY),
    "called": (re.compile("|".join(CALL_RESULTS)), _ANY, _DAY_OR_NONE),
    "claim": (_ANY,),
    "give_back": (_ANY,),
    "give": (_ANY,),
    "put_off": (_DAY_OR_NONE,),
    "status": (re.compile("|".join(STATUSES)),),
    "noted": (),
    "no_note": (),
    "job_stopped": (),
    "job_over": (),
    "models_moved": (),
    "view_saved": (_ANY,),
    "view_removed": (_ANY,),
    "view_without_name": (),
    "password_changed": (),
    "password_wrong": (),
    "password_weak": (),
    "password_twice": (),
    "password_wait": (_NUMBER,),
    "signed_out": (_NUMBER,),
    "person_add": (_ANY,),
    "person_role": (_ANY,),
    "person_password": (_ANY,),
    "person_remove": (_ANY,),
    "key_revoked": (_ANY,),
    "webhook_try": (_ANY,),
    "webhook_disable": (_ANY,),
    "webhook_enable": (_ANY,),
    "webhook_remove": (_ANY,),
}
"""What a page may be told of the form before it, and the shapes of its values: a cookie is no more to be believed than
a form."""


@dataclass(frozen=True)
class Form:
    """The fields of a form, those of one name in their order."""

    fields: Mapping[str, tuple[str, ...]]

    def one(self, name: str) -> str:
        """Return a field without the blanks at its ends; empty where there is none."""
        return self.fields.get(name, ("",))[-1].strip()

    def as_typed(self, name: str) -> str:
        """Return a field as it was typed: blanks at the ends of a password belong to it."""
        return self.fields.get(name, ("",))[-1]

    def all(self, name: str) -> tuple[str, ...]:
        """Return every field of a name."""
        return self.fields.get(name, ())

    def day(self, name: str) -> date | None:
        """Return a field that is a day; None where it is empty.

        Raises
        ------
        UsageError
            If it is none.
        """
        text = self.one(name)
        try:
            return None if not text else date.fromisoformat(text if _DAY.fullmatch(text) else "")
        except ValueError:
            raise UsageError(f"`{name}` must be a day such as 2018-01-12, got {text[:40]!r}") from None

    def among(self, name: str, words: Sequence[str]) -> str:
        """Return a field that is one of some words.

        Raises
        ------
        UsageError
            If it is another, or none.
        """
        word = self.one(name)
        if word not in words:
            raise UsageError(f"`{name}` must be one of {', '.join(words)}, got {word[:40]!r}")
        return word


async def sent_form(request: Request) -> Form:
    """Return the form that one of our open pages sent; a dependency.

    Raises
    ------
    ForbiddenError
        If it carries no token of the session.
    """
    body, session = await request.body(), getattr(request.state, "session", None)
    if not session or not carries_token(request.headers, body, session):
        raise ForbiddenError(FORGED)
    return Form(every_field(request.headers, body))


SentForm = Annotated[Form, Depends(sent_form)]


def back(form: Form, word: str, *values: object) -> RedirectResponse:
    """Lead back to where the form stood, where it will be told what became of it.

    Parameters
    ----------
    word : str
        One that `told.html` knows.
    values : object
        What it speaks of: names, days, numbers.
    """
    answer = RedirectResponse(way_back(form.one("back")), 303, {"cache-control": "no-store"})
    told = quote("|".join([word, *(str(one).replace("|", " ") for one in values)])[:_MOST_TOLD])
    answer.set_cookie(_COOKIE, told, max_age=_SECONDS, httponly=True, samesite="strict")
    return answer


@dataclass(frozen=True)
class ToldOnce:
    """What became of the form sent last: a word, and its values."""

    word: str
    values: tuple[str, ...]


def told_once(request: Request, response: Response | None = None) -> ToldOnce | None:
    """Return what became of the form sent last; with a response, see that it is not told again."""
    kept = request.cookies.get(_COOKIE)
    if not kept:
        return None
    if response is not None:
        response.delete_cookie(_COOKIE, httponly=True, samesite="strict")
    word, *values = unquote(kept).split("|")
    shapes = TOLD.get(word, ())
    fits = word in TOLD and len(values) == len(shapes) and all(map(_fits, shapes, values))
    return ToldOnce(word, tuple(values)) if fits else None


def _fits(shape: re.Pattern[str], value: str) -> bool:
    if not shape.fullmatch(value):
        return False
    try:
        return shape is not _DAY_OR_NONE or not value or date.fromisoformat(value) is not None
    except ValueError:
        return False
