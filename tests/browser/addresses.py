"""Every page there is, by its route, with addresses at which it is looked at; a test holds the application to it."""

from urllib.parse import quote

from browser.hostile import WHOSE

PAGES = {
    "/login": ("/login", "/login?refused=gone"),
    "/today": ("/today",),
    "/at-risk": ("/at-risk?show=all", "/at-risk?owner=nobody&sort=clv", "/at-risk?band=low&stage=new&status=closed"),
    "/prospects": ("/prospects",),
    "/customers/{customer_id:path}": (
        *(f"/customers/{quote(one, safe='')}" for one in (WHOSE, "1296", "lead-1", "left")),
        "/customers/nobody",
    ),
    "/data": ("/data",),
    "/lifecycle": ("/lifecycle",),
    "/segments": ("/segments",),
    "/kpis": ("/kpis",),
    "/drivers": ("/drivers",),
    "/rhythm": ("/rhythm",),
    "/funnel": ("/funnel",),
    "/strategy": ("/strategy",),
}
"""What a person may look at; addresses of what was never measured show what to do first."""
LEAD_ON = ("/", "/customers", "/login/provider", "/login/return")
"""Routes that show nothing themselves: each leads to a page."""
OPEN = ("/login",)
"""What is looked at by who has not signed in."""
ADDRESSES = tuple(one for some in PAGES.values() for one in some)
