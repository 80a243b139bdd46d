"""Settings: one's own for everybody; people, keys, webhooks, actions and what is in force for those who run it.

`own.py` is the first page and leads to the others; what a page tells and does, the API does by the same functions.
"""

from fastapi import APIRouter

from churnml.service.pages.settings import in_force, keys, own, people, webhooks

router = APIRouter()
for part in (own, people, keys, webhooks, in_force):
    router.include_router(part.router)

__all__ = ["router"]
