"""How it is served: the decision records over HTTP, for machines under `/v1` and for people as pages.

In comes a workspace whose last `churnml score` or `churnml assign` is finished; out go the same records as JSON, CSV
and HTML, in English and Chinese. Nothing here computes a score.
Who asks is found by `gate.py`; what they may do, `access.py` says.
Read `app.py` first, then `readings.py`, then `api/` and `pages/`.
"""

from churnml.service.app import create_app
from churnml.service.server import serve

__all__ = ["create_app", "serve"]
