"""The page that says what went wrong, and where to go from there."""

from __future__ import annotations

from fastapi import Request
from fastapi.responses import HTMLResponse

from churnml.service.pages.rendering import render
from churnml.service.problems import Problem


def error_page(request: Request, problem: Problem) -> HTMLResponse:
    """Return the page of a problem.

    The context is `problem`, and whether a form was `sent`. `error.html` has words in both languages for each status
    we give; the detail, written for whoever runs the service, stays English.
    """
    return render(request, "error.html", {"problem": problem, "sent": request.method == "POST"}, problem.status)
