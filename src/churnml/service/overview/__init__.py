"""What a manager sees first: what changed, what it adds up to, what was saved, and what is to be done next.

In comes the database, out goes one `Overview`, which the page shows and the API tells. Read `overview.py` first.
"""

from churnml.service.overview.overview import Overview, overview_of

__all__ = ["Overview", "overview_of"]
