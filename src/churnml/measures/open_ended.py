"""Medians of lengths of time of which some have not ended yet, by Kaplan and Meier, in SQL."""

from __future__ import annotations

import pandas as pd
from scipy.special import ndtri

from churnml.events.books import Books


def medians(books: Books, query: str, by: tuple[str, ...], level: float = 0.95) -> pd.DataFrame:
    r"""Return the median length of each group, with its interval.

    A length that has not ended counts as longer than it is by now, and no more. The median is where the curve of those
    still open first falls to a half; its bounds are where the bounds of the curve do, which are taken on the scale of
    :math:`\log(-\log S)`.

    Parameters
    ----------
    query : str
        Of `customer_id`, the columns of `by`, `length` (at least 0) and `ended`, one row per thing that takes time.
    by : tuple of str
        What makes a group.

    Returns
    -------
    DataFrame
        The columns of `by`, `value`, `low` and `high` in the unit of `length`, missing where the curve does not fall
        that far, and `customers`.

    References
    ----------
    Kaplan, E. L. & Meier, P. (1958). Nonparametric estimation from incomplete observations. Journal of the American
    Statistical Association 53, 457-481.
    Brookmeyer, R. & Crowley, J. (1982). A confidence interval for the median survival time. Biometrics 38, 29-41; the
    transformation is that of Kalbfleisch & Prentice (1980), The Statistical Analysis of Failure Time Data.
    """
    keys = ", ".join(by)
    z = float(ndtri((1 + level) / 2))
    return books.frame(
        f"""
        WITH rows AS ({query}),
        lengths AS (
            SELECT {keys}, length, count(*) FILTER (ended) AS ending, count(*) AS here FROM rows GROUP BY {keys}, length
        ),
        at_risk AS (
            SELECT *, sum(here) OVER (PARTITION BY {keys} ORDER BY length DESC)::DOUBLE AS open FROM lengths
        ),
        curve AS (
            SELECT *,
                   sum(CASE WHEN ending < open THEN ln(1 - ending / open) ELSE '-inf'::DOUBLE END) OVER so_far AS fall,
                   sum(CASE WHEN ending < open THEN ending / (open * (open - ending)) END) OVER so_far AS spread
            FROM at_risk WHERE ending > 0 WINDOW so_far AS (PARTITION BY {keys} ORDER BY length)
        ),
        bounded AS (
            SELECT *, CASE WHEN isinf(fall) OR fall = 0 THEN 0 ELSE $z::DOUBLE * sqrt(spread) / abs(fall) END AS wide
            FROM curve
        )
        SELECT {keys}, min(length) FILTER (fall <= ln(0.5)) AS value,
               min(length) FILTER (fall * exp(wide) <= ln(0.5)) AS low,
               min(length) FILTER (fall * exp(-wide) <= ln(0.5)) AS high, any_value(customers) AS customers
        FROM bounded RIGHT JOIN (SELECT {keys}, count(DISTINCT customer_id) AS customers FROM rows GROUP BY {keys})
        USING ({keys}) GROUP BY {keys}
        """,
        {"z": z},
    )
