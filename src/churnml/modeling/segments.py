"""How ours did in each part of the customers, and where a part is too small to say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from churnml.modeling import metrics
from churnml.modeling.judgement import Figure, figure_of
from churnml.modeling.pool import Pool

Json = dict[str, Any]  # Any: JSON
FEWEST, FEWEST_OF_EACH, MOST_SEGMENTS = 50, 10, 12
RULE = (
    f"A segment needs {FEWEST} customers for any figure, and {FEWEST_OF_EACH} who left and {FEWEST_OF_EACH} who "
    "stayed for AUROC."
)
_FIGURES = ("observed", "predicted", "auroc", "brier", "bias", "mae")


@dataclass(frozen=True)
class Segment:
    """One part of the customers.

    Parameters
    ----------
    cut, name : str
        How the customers were cut up, and which part it is.
    customers, rows, left : int
        Different customers, their rows over all origins, and how many of the rows left.
    figures : mapping of str to Figure
        `observed` and `predicted` churn rate, `auroc`, `brier`, and of value `bias` and `mae`; those that the segment
        is too small for are missing.
    too_few : str
        Why some are missing; empty where none is.
    """

    cut: str
    name: str
    customers: int
    rows: int
    left: int
    figures: Mapping[str, Figure]
    too_few: str

    def to_json(self) -> Json:
        """Return plain data."""
        told = {name: [one.value, one.low, one.high] for name, one in self.figures.items()}
        head = {"cut": self.cut, "segment": self.name, "customers": self.customers, "rows": self.rows}
        return head | {"left": self.left, "figures": told, "too_few": self.too_few}


def segments(pool: Pool, *, bootstrap: int, seed: int) -> Iterator[Segment]:
    """Give every segment of every cut that has no more than 12, with 95 % intervals over redrawn customers."""
    for cut, whose in pool.segments.items():
        names = segment_names(cut, whose)
        if len(names) <= MOST_SEGMENTS:
            for name in names:
                yield _segment(pool, cut, name, np.asarray(whose == name), bootstrap, seed)


def segment_names(cut: str, whose: npt.NDArray[np.object_]) -> list[str]:
    """Return the segments of a cut in their order; who belongs to none has an empty name."""
    return sorted({name for name in whose if name}, key=lambda name: _place(cut, name))


def _place(cut: str, name: str) -> tuple[float, str]:
    """Return where a segment stands: tenures by their days or years, all others by their name."""
    if cut != "tenure":
        return 0.0, name
    first = name.removeprefix("under ").split()[0]
    return float(first) * (365 if "year" in name else 1) - name.startswith("under"), name


def _segment(pool: Pool, cut: str, name: str, inside: npt.NDArray[np.bool_], bootstrap: int, seed: int) -> Segment:
    who, left = len(np.unique(pool.customers[inside])), int(pool.churned[inside].sum())
    rows = int(inside.sum())
    why = _too_few(who, left, rows - left)
    wanted = () if who < FEWEST else tuple(one for one in _FIGURES if one != "auroc" or not why)
    figures: dict[str, Figure] = {}
    if wanted:
        part = _part(pool, inside)
        values = _values(part, np.arange(rows), wanted)
        drawn = np.array(
            [_values(part, np.repeat(np.arange(rows), times), wanted) for times in part.redraws(bootstrap, seed)]
        )
        # a share of a total that is 0 in most redraws is no figure; its place says so
        figures = {
            one: figure_of(np.array(values[k]), drawn[:, k])
            for k, one in enumerate(wanted)
            if np.isfinite(values[k]) and 2 * np.isfinite(drawn[:, k]).sum() >= bootstrap
        }
        figures["observed"] = _not_certain(figures["observed"], who)
    return Segment(cut, name, who, rows, left, figures, why)


def _not_certain(observed: Figure, customers: int) -> Figure:
    """Return a share of nobody or of all with the interval of the rule of three: no redraw shows who was not there."""
    reach = min(3.0 / customers, 1.0)
    if observed.value == 0.0:
        return Figure(0.0, 0.0, reach)
    return Figure(1.0, 1.0 - reach, 1.0) if observed.value == 1.0 else observed


def _too_few(customers: int, left: int, stayed: int) -> str:
    if customers < FEWEST:
        return f"{customers} customers, {FEWEST} are needed for any figure"
    if min(left, stayed) < FEWEST_OF_EACH:
        return f"{left} left and {stayed} stayed, {FEWEST_OF_EACH} of each are needed for AUROC"
    return ""


def _part(pool: Pool, inside: npt.NDArray[np.bool_]) -> Pool:
    _, customers = np.unique(pool.customers[inside], return_inverse=True)
    churn, values = ({name: column[inside] for name, column in of.items()} for of in (pool.churn, pool.values))
    return Pool(customers, pool.origins[inside], pool.churned[inside], pool.value[inside], churn, values)


def _values(part: Pool, rows: npt.NDArray[np.intp], wanted: tuple[str, ...]) -> list[float]:
    left, value = part.churned[rows], part.value[rows]
    p, forecast = (next(iter(of.values()))[rows] for of in (part.churn, part.values))
    if not len(rows):
        return [float("nan")] * len(wanted)
    spent, both = value.sum() > 0, 0 < left.sum() < len(left)
    of = {
        "observed": lambda: float(left.mean()),
        "predicted": lambda: float(p.mean()),
        "auroc": lambda: metrics.auroc(left, p) if both else float("nan"),
        "brier": lambda: metrics.brier(left, p),
        "bias": lambda: metrics.bias(value, forecast) if spent else float("nan"),
        "mae": lambda: metrics.mae(value, forecast),
    }
    return [of[one]() for one in wanted]
