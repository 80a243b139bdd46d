"""How content customers say they are, by groups: of each the latest answer, on one scale from worst to best."""

from __future__ import annotations

import pandas as pd

from churnml.events.books import Books
from churnml.features.rows import SCALES


def latest_answers(books: Books, groups: str, begin: int, end: int) -> pd.DataFrame:
    """Return how content the customers of each group said they are.

    Parameters
    ----------
    groups : str
        A table with `customer_id` and `group_id`.
    begin, end : int
        Answers within count, microseconds UTC; of a customer the latest, whatever was asked.

    Returns
    -------
    DataFrame
        By group, those with any answer: `satisfaction`, from 0 for the worst of each answer's scale to 1 for the best,
        the mean of its customers; and `answers`, how many there are. Empty where no surveys have landed.
    """
    if "surveys" not in books.tables:
        return pd.DataFrame({"satisfaction": [], "answers": []}, dtype="float64")
    usual = ", ".join(f"('{name}', {worst}, {best})" for name, (worst, best) in SCALES.items())
    query = f"""
        WITH latest AS (
            SELECT customer_id, arg_max(struct_pack(score, worst, best), answered_at) AS told
            FROM (SELECT *, coalesce(scale_min, usual_worst) AS worst, coalesce(scale_max, usual_best) AS best
                  FROM surveys
                  LEFT JOIN (VALUES {usual}) AS usual (instrument, usual_worst, usual_best) USING (instrument))
            WHERE answered_at >= $begin AND answered_at < $end AND score IS NOT NULL AND best > worst
            GROUP BY customer_id
        )
        SELECT group_id, avg(least(greatest((told.score - told.worst) / (told.best - told.worst), 0), 1))
                   AS satisfaction, count(*)::DOUBLE AS answers
        FROM latest JOIN {groups} USING (customer_id) GROUP BY group_id ORDER BY group_id
    """
    return books.frame(query, {"begin": begin, "end": end}).set_index("group_id")
