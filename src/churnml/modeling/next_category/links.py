"""How categories hang together: what those who buy one buy beside it, from counts of customers who bought both.

References
----------
Steck (2019), Embarrassingly Shallow Autoencoders for Sparse Data, WWW, equations 8 and 9: `ease`.
Sarwar et al. (2001), Item-based collaborative filtering recommendation algorithms, WWW, section 3.1: `cosine`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float64]

_PENALTY = 0.4
"""Of each category's weight, for each customer who taught; chosen out of time, docs/adr/0027."""
_SHRINK = 20.0


def ease(together: Matrix, customers: int) -> Matrix:
    """Return the weights by which what is held tells what else is.

    Each category is regressed on all others at once, with an L2 penalty and no weight on itself; the closed form needs
    the counts alone.

    Parameters
    ----------
    together : ndarray of shape (n_categories, n_categories)
        Customers who bought both; on the diagonal those who bought the one.
    customers : int
        Of whom it was counted.

    Returns
    -------
    ndarray of shape (n_categories, n_categories)
        Row *i* is what holding *i* adds to the score of each category; 0 on the diagonal.
    """
    inverse = np.linalg.inv(together + _PENALTY * max(customers, 1) * np.eye(len(together)))
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0.0)
    return np.asarray(weights)


def cosine(together: Matrix) -> Matrix:
    """Return the cosine between the customers of two categories, shrunk where few bought both; 0 on the diagonal."""
    norm = np.sqrt(np.diag(together))
    found = together / (np.outer(norm, norm) + _SHRINK)
    np.fill_diagonal(found, 0.0)
    return np.asarray(found)


def share_of_holders(together: Matrix) -> Matrix:
    """Return of the customers who bought *i* the share that bought *j*, row by row; 0 where nobody bought *i*."""
    holders = np.diag(together)[:, None]
    return np.divide(together, holders, out=np.zeros_like(together), where=holders > 0)
