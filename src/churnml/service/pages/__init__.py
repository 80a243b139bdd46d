"""The pages: what the API says, for people, in English and Chinese, without script.

In come requests, out goes HTML; each page has its JSON twin under `/v1`, and one template of its own name. Read
`rendering.py` and `navigation.py` first, then `work/today.py`.
"""

from fastapi import APIRouter

from churnml.service.pages import data, jobs, overview
from churnml.service.pages.entrance import login, provider_login
from churnml.service.pages.errors import error_page
from churnml.service.pages.measures import page as measures
from churnml.service.pages.models import moving, version, versions
from churnml.service.pages.work import at_risk, casework, customer, prospects, today

router = APIRouter(include_in_schema=False)
for part in (
    overview,
    at_risk,
    today,
    casework,
    prospects,
    customer,
    data,
    jobs,
    measures,
    versions,
    moving,
    version,
    login,
    provider_login,
):
    router.include_router(part.router)

__all__ = ["error_page", "router"]
