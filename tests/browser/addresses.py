"""Every page there is, by its route, with addresses at which it is looked at; a test holds the application to it."""

from urllib.parse import quote

from browser.hostile import CAMPAIGN, WHOSE

PAGES = {
    "/login": ("/login", "/login?refused=cancelled"),
    "/overview": ("/overview",),
    "/today": ("/today",),
    "/at-risk": ("/at-risk?show=all", "/at-risk?owner=nobody&sort=clv", "/at-risk?band=low&stage=new&status=closed"),
    "/prospects": ("/prospects",),
    "/customers/{customer_id:path}": (
        *(f"/customers/{quote(one, safe='')}" for one in (WHOSE, "1296", "lead-1", "left")),
        "/customers/nobody",
    ),
    "/campaigns": ("/campaigns",),
    "/campaigns/{name:path}": (f"/campaigns/{quote(CAMPAIGN, safe='')}", "/campaigns/nobody"),
    "/campaigns/plan": ("/campaigns/plan", "/campaigns/plan?budget=60"),
    "/models": ("/models",),
    "/models/{model_version}": (f"/models/{'a' * 64}",),
    "/jobs": ("/jobs",),
    "/jobs/{job_id}": ("/jobs/nobody",),
    "/data": ("/data",),
    "/lifecycle": ("/lifecycle",),
    "/segments": ("/segments",),
    "/kpis": ("/kpis",),
    "/drivers": ("/drivers",),
    "/rhythm": ("/rhythm",),
    "/funnel": ("/funnel",),
    "/strategy": ("/strategy",),
    "/settings": ("/settings",),
    "/settings/people": ("/settings/people",),
    "/settings/keys": ("/settings/keys",),
    "/settings/webhooks": ("/settings/webhooks",),
    "/settings/actions": ("/settings/actions",),
    "/settings/in-force": ("/settings/in-force",),
}
"""What a person may look at; addresses of what was never measured show what to do first."""
LEAD_ON = ("/", "/customers", "/login/provider", "/login/return")
"""Routes that show nothing themselves: each leads to a page."""
OF_THE_MARKET = ("/overview", "/campaigns", "/campaigns/retention-2018-01", "/models", "/data", "/settings/in-force")
"""Pages that have more to show of a model that was trained."""
OPEN = ("/login",)
"""What is looked at by who has not signed in."""
ADDRESSES = tuple(one for some in PAGES.values() for one in some)
