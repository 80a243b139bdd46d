"""Weight of evidence: each column cut into tenths, each tenth worth the log of who left in it over who stayed."""

import numpy as np

from churnml.wording import Text

TENTHS = 10


class Evidence:
    """A naive Bayes classifier on tenths of each column; a missing value is a tenth of its own."""

    name = "evidence"
    text = Text("the weight of evidence", "证据权重")

    def __init__(self, state):
        self.state = state
        self.edges, self.worth = np.array(state["edges"]), np.array(state["worth"])

    @classmethod
    def fit(cls, matrix, churned, *, columns, seed):
        """Learn from a matrix of shape (n_rows, n_columns) and who left, of shape (n_rows,)."""
        known = np.where(np.isnan(matrix).all(axis=0), 0.0, matrix)
        edges = np.nanquantile(known, np.linspace(0, 1, TENTHS + 1)[1:-1], axis=0).T
        base = np.log(churned.sum() / (~churned).sum())
        worth = []
        for tenth in _tenths(matrix, edges).T:
            left = np.bincount(tenth[churned], minlength=TENTHS + 1) + churned.mean() * 50
            stayed = np.bincount(tenth[~churned], minlength=TENTHS + 1) + (~churned).mean() * 50
            worth.append(((np.log(left / stayed) - base) / np.sqrt(len(columns))).tolist())
        return cls({"edges": edges.tolist(), "worth": worth, "base": float(base)})

    @classmethod
    def from_json(cls, state):
        """Make it anew from what `to_json` told."""
        return cls(state)

    def to_json(self):
        """Tell all that was learned, as plain JSON."""
        return self.state

    def logit(self, matrix):
        """Return the logit of churn, of shape (n_rows,)."""
        by_column, base = self.contributions(matrix)
        return by_column.sum(axis=1) + base

    def contributions(self, matrix):
        """Return what each column adds, of shape (n_rows, n_columns), and what none adds; leave this out if you can't."""
        tenths = _tenths(matrix, self.edges)
        return self.worth[np.arange(matrix.shape[1]), tenths], self.state["base"]


def _tenths(matrix, edges):
    found = [np.searchsorted(edges[place], column) for place, column in enumerate(matrix.T)]
    return np.where(np.isnan(matrix), TENTHS, np.column_stack(found))


LEARNERS = [Evidence]
