"""The pages: what the API says, for people, in English and Chinese, without script.

In come requests, out goes HTML; each page has its JSON twin at the same path under `/v1`, and one template of its own
name. Read `at_risk.py` first, then `rendering.py`.
"""

from fastapi import APIRouter

from churnml.service.pages import (
    at_risk,
    casework,
    customer,
    data,
    login,
    measures,
    prospects,
    provider_login,
    today,
)
from churnml.service.pages.errors import error_page

router = APIRouter(include_in_schema=False)
for part in (at_risk, today, casework, prospects, customer, data, measures, login, provider_login):
    router.include_router(part.router)

__all__ = ["error_page", "router"]
