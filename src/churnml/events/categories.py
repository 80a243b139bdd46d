"""What was bought: the category of each line of an order that was paid for."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from churnml.events.facts import Facts


def line_categories(lines: Facts, codes: Mapping[str, int]) -> npt.NDArray[np.int64]:
    """Return the code of each line's category; -1 where it is not among them, or nothing was paid.

    Parameters
    ----------
    lines : Facts
        With `category` and `amount`; what a code of `category` means may differ between blocks.
    codes : mapping of str to int
        The categories that count, from 0.

    Returns
    -------
    ndarray of shape (n_lines,)
    """
    words = np.array([*(codes.get(word, -1) for word in lines.words["category"]), -1], dtype=np.int64)
    return np.where(lines.columns["amount"] > 0, words[lines.columns["category"]], -1)
