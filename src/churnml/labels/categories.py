"""Which categories were bought in ``[t, t + horizon)``: the label of what to offer next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import scipy.sparse as sp

from churnml.events import Facts, Store, bought_lines, line_categories


def categories_bought(
    store: Store,
    number: int,
    cutoffs: Sequence[int],
    horizon_days: int,
    codes: Mapping[str, int],
    label_lag_days: int = 0,
) -> list[sp.csr_matrix]:
    """Return which categories each customer of a block paid for in the horizon after each cutoff.

    Parameters
    ----------
    number : int
        Of the block.
    codes : mapping of str to int
        The categories that count, from 0.
    label_lag_days : int
        How long after its horizon a label is final; what was learned later is left out.

    Returns
    -------
    list of sparse bool matrix of shape (n_customers, n_categories)
        One for each cutoff, in the order of the customers of `events.history`; new and again alike.
    """
    found = bought_lines(store, number, cutoffs, horizon_days, label_lag_days)
    return [_flags(lines, codes) for lines in found]


def _flags(lines: Facts, codes: Mapping[str, int]) -> sp.csr_matrix:
    code = line_categories(lines, codes)
    paid = code >= 0
    cells = np.unique(lines.customer[paid] * max(len(codes), 1) + code[paid])
    shape = (len(lines.offsets) - 1, len(codes))
    row, column = np.divmod(cells, max(len(codes), 1))
    return sp.csr_matrix((np.ones(len(cells), dtype=np.bool_), (row, column)), shape=shape)
