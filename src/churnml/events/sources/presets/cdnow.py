"""CDNOW: purchases of the customers who first bought in early 1997, from the PyPI package `lifetimes`.

Source: Fader and Hardie, "Forecasting Repeat Sales at CDNOW", Interfaces 31 (2001). The master file has 23,570
customers, the sample every tenth of them. A row is what one customer bought at one time; it bears a day, no hour.
"""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from functools import partial
from pathlib import Path

import duckdb

from churnml.errors import DependencyError
from churnml.events.sources import Format, Rows, Source
from churnml.events.sources.presets.filling import preset_sources
from churnml.events.sources.presets.preset import Filling, Preset

_CUSTOMERS = """
    SELECT customer_id, min(date) AS occurred_at, min(source_row) AS source_row FROM purchases GROUP BY customer_id
"""

_ORDERS = """
    SELECT customer_id, date AS occurred_at,
           concat_ws('/', customer_id, date,
                     row_number() OVER (PARTITION BY customer_id, date ORDER BY source_row)) AS order_id,
           dollar_value AS amount, number_of_cds AS quantity, source_row
    FROM purchases
"""

CDNOW = Preset(
    name="cdnow",
    meaning=(
        "CDNOW, from the package `lifetimes`: 23,570 customers or every tenth of them, January 1997 to "
        "June 1998, in US dollars. First contact is the first purchase. Two purchases of one day are two orders."
    ),
    documented="https://www.brucehardie.com/datasets/",
    files={"purchases": ("customer_id", "date", "number_of_cds", "dollar_value")},
    tables={"customers": Filling(("purchases",), _CUSTOMERS), "orders": Filling(("purchases",), _ORDERS)},
    formats={"occurred_at": Format(instant="%Y%m%d")},
    time_zone="UTC",  # the file bears days; they are read straight off
)


def cdnow_sources(sample: bool) -> list[Source]:  # noqa: FBT001  # the one choice there is
    """Return the sources of CDNOW, one for each table it fills.

    Parameters
    ----------
    sample : bool
        Take every tenth customer (2,357) instead of all 23,570.

    Raises
    ------
    DependencyError
        If the package that holds the files is not installed.
    """
    spec = importlib.util.find_spec("lifetimes")  # finds it without importing it, which would import pandas
    if spec is None or spec.origin is None:
        raise DependencyError(
            "CDNOW comes with the package `lifetimes`, which is not installed; run `pip install lifetimes`"
        )
    path = Path(spec.origin).parent / "datasets" / ("CDNOW_sample.txt" if sample else "CDNOW_master.txt")
    sources = preset_sources(CDNOW, {"purchases": [path]}, CDNOW.time_zone, partial(_open, sample))
    return [replace(source, origin=f"CDNOW, {source.table}") for source in sources]


def _open(sample: bool, path: Path, connection: duckdb.DuckDBPyConnection, scratch: Path) -> Rows:  # noqa: FBT001
    """Read the columns apart at their spaces; the sample has its own number second, the master a line of names."""
    del scratch
    texts = connection.read_csv(
        str(path),
        auto_detect=False,
        header=not sample,
        columns={"text": "VARCHAR"},
        delimiter="|",
        quotechar="",
        parallel=False,  # keeps the rows in the order of the file
    )
    parts = texts.project(r"string_split_regex(trim(text), '\s+') AS part, row_number() OVER () AS source_row")
    shift = 1 if sample else 0
    names = {"customer_id": 1, "date": 2 + shift, "number_of_cds": 3 + shift, "dollar_value": 4 + shift}
    columns = ", ".join(f"part[{place}] AS {name}" for name, place in names.items())
    return Rows(parts.project(f"{columns}, source_row"))
