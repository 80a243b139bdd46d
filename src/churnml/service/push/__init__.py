"""Pushing: messages of the outbox are signed and sent to the endpoints that ask for them.

In come deliveries that are due (`database/deliveries.py`), out go HTTP requests after Standard Webhooks, to public
addresses alone. Read `turn.py` first: it is one endpoint's turn; `worker.py` gives the turns out.

References
----------
Standard Webhooks, specification 1.0.0, https://www.standardwebhooks.com.
"""

from churnml.service.push.worker import Pusher

__all__ = ["Pusher"]
