"""Rows of who left and who stayed, written down for a test, and what their tables have in common."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

from churnml.events.clock import midnight
from churnml.measures.driver_tables import Told
from churnml.measures.matching import Matched
from churnml.wording import Text
from small import as_csv


def told(smallest: int = 1) -> Told:
    return Told("2021-03-01", "2021-06-01", Text("silence", "静默"), 1, 0.05, smallest, ("orders",))


def rows_of(text: str) -> tuple[pd.DataFrame, Matched]:
    """Return rows given as text, `customer cutoff gone weight`, and the same as one stratum."""
    lines = [line.split(",") for line in as_csv(text).splitlines()[1:]]
    frame = pd.DataFrame(
        {
            "customer_id": [line[0] for line in lines],
            "cutoff": [midnight(date.fromisoformat(line[1]), "UTC") for line in lines],
            "gone": [line[2] == "left" for line in lines],
            "weight": [float(line[3]) for line in lines],
        }
    )
    gone, customer = frame["gone"].to_numpy(), pd.factorize(frame["customer_id"])[0]
    return frame, Matched(gone, customer.astype(np.intp), np.zeros(len(frame), dtype=np.intp))
