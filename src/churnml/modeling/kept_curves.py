"""What is kept of a test out of time for whoever looks at the model later: curves of a few points, no row of anybody.

All figures of a redraw come from one walk over it, so that a million customers need no more memory than one redraw.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from churnml.events.clock import moment
from churnml.measures.intervals import wilson
from churnml.modeling.curves import tenths
from churnml.modeling.cuts import Texts, segments_of
from churnml.modeling.judgement import Contest, Judgement
from churnml.modeling.metrics import auroc_interval
from churnml.modeling.pool import Pool
from churnml.modeling.segments import FEWEST, FEWEST_OF_EACH, MOST_SEGMENTS, segment_names
from churnml.modeling.steadiness import course
from churnml.modeling.train import Trained

Matrix = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]
Json = dict[str, Any]  # Any: JSON

SHARES = np.array([*range(1, 21), *range(25, 101, 5)]) / 100
"""The shares of customers contacted that are kept: every hundredth of the first fifth, then every twentieth."""
_BINS, _TENTHS = 20, 10
_DIGITS = 6


@dataclass(frozen=True)
class _Order:
    """Customers in the order of one forecast, the highest first; those tied end together."""

    rows: Places
    ends: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, forecast: Matrix) -> _Order:
        rows = np.argsort(-forecast, kind="stable")
        return cls(rows, np.append(np.diff(forecast[rows]) != 0, True))

    def caught(self, truth: Matrix, times: Places) -> Matrix:
        """Return who left among the top of the list, as a share of all customers; shape (n_shares,)."""
        all_of = times.sum()
        contacted = np.cumsum(times[self.rows])[self.ends] / all_of
        left = np.cumsum((truth * times)[self.rows])[self.ends] / all_of
        return np.asarray(np.interp(SHARES, np.append(0.0, contacted), np.append(0.0, left)))


def kept_curves(
    judged: Judgement, tested: Trained, trained: Trained, *, time_zone: str, bootstrap: int, seed: int
) -> Json:
    """Return the curves of a test, and how the model did at the origins that taught it.

    Parameters
    ----------
    judged : Judgement
        Of churn and value.
    tested : Trained
        What was judged: taught as the model, by what was final at the test.
    trained : Trained
        The model itself.
    time_zone : str
        In which cutoffs are days.
    bootstrap, seed : int
        Redraws behind the intervals, and their seed.

    Returns
    -------
    dict
        That of `curves_of`, and `origins`: the rolling origins that taught the weights of the blend; `taught`:
        population and churn rate at each cutoff that taught.
    """
    table = tested.snapshots.base_at_now
    cuts = segments_of(table.take(table.modelled), judged.contests["value"].forecast)
    return {
        **curves_of(judged, cuts, bootstrap=bootstrap, seed=seed),
        "origins": [{"cutoff": _day(at, time_zone)} | told for at, told in course(trained)],
        "taught": _taught(trained, time_zone),
    }


def curves_of(judged: Judgement, cuts: Mapping[str, Texts], *, bootstrap: int, seed: int) -> Json:
    """Return the curves of a test, with 95 % intervals over redrawn customers.

    Parameters
    ----------
    judged : Judgement
        Of churn and value.
    cuts : mapping of str to ndarray of shape (n_customers,)
        By each way to cut the customers up, the part that each belongs to.
    bootstrap, seed : int
        Redraws behind the intervals, and their seed.

    Returns
    -------
    dict
        `calibration`: in tenths by probability, mean predicted and observed churn with interval; of each baseline, the
        pairs alone. `probabilities`: how many customers have a probability in each twentieth. `contacted`: at each of
        `shares`, who left among those contacted as a share of all customers (`caught`), by ours with interval, by each
        baseline with the lead of ours; and of ours the probability at the edge, and the share found of all who left.
        `value_tenths`, as calibration. `segments`: with the intervals of Wilson and DeLong.
    """
    churn, value = judged.contests["churn"], judged.contests["value"]
    rows = np.arange(judged.customers)
    pool = Pool(rows, np.zeros_like(rows), churn.truth, value.truth, churn.forecasts, value.forecasts)
    drawn = _drawn(pool, churn, value, bootstrap, seed)
    return {
        "as_of": judged.cutoff,
        "customers": judged.customers,
        "left": int(churn.truth.sum()),
        "redraws": bootstrap,
        "calibration": _compared(churn, drawn["churn"]),
        "baseline_calibration": {name: _pairs(p, churn.truth) for name, p in _others(churn).items()},
        "probabilities": np.histogram(churn.forecast, bins=_BINS, range=(0.0, 1.0))[0].tolist(),
        "contacted": _contacted(churn, drawn["caught"]),
        "value_tenths": _compared(value, drawn["value"]),
        "segments": list(_segments(cuts, churn)),
    }


def _drawn(pool: Pool, churn: Contest, value: Contest, bootstrap: int, seed: int) -> dict[str, Matrix]:
    """Return of each redraw the mean truth in tenths, and what each method catches."""
    groups = {"churn": tenths(churn.forecast), "value": tenths(value.forecast)}
    orders = [_Order.of(p) for p in churn.forecasts.values()]
    found: dict[str, list[Matrix]] = {"churn": [], "value": [], "caught": []}
    for times in pool.redraws(bootstrap, seed):
        for name, contest in (("churn", churn), ("value", value)):
            found[name].append(_means(groups[name], contest.truth, times))
        found["caught"].append(np.array([one.caught(churn.truth, times) for one in orders]))
    return {name: np.array(each) for name, each in found.items()}


def _means(groups: Places, truth: Matrix, times: Places) -> Matrix:
    with np.errstate(invalid="ignore", divide="ignore"):  # a tenth of few may be drawn without anybody
        return np.asarray(np.bincount(groups, truth * times, _TENTHS) / np.bincount(groups, times, _TENTHS))


def _compared(contest: Contest, drawn: Matrix) -> list[Json]:
    """Return what was predicted and what came in each tenth; the interval is of what came."""
    groups, truth, forecast = tenths(contest.forecast), contest.truth, contest.forecast
    low, high = np.nanpercentile(drawn, [2.5, 97.5], axis=0)
    return [
        {
            "rows": int((groups == k).sum()),
            "predicted": _told(forecast[groups == k].mean()),
            "observed": [_told(truth[groups == k].mean()), _told(low[k]), _told(high[k])],
            "mae": _told(np.abs(forecast - truth)[groups == k].mean()),
        }
        for k in np.unique(groups)
    ]


def _pairs(forecast: Matrix, truth: Matrix) -> list[list[float]]:
    groups = tenths(forecast)
    return [[_told(forecast[groups == k].mean()), _told(truth[groups == k].mean())] for k in np.unique(groups)]


def _contacted(churn: Contest, drawn: Matrix) -> Json:
    everybody = np.ones(len(churn.truth), dtype=np.intp)
    caught = {name: _Order.of(p).caught(churn.truth, everybody) for name, p in churn.forecasts.items()}
    ours, *others = caught
    left = drawn[:, 0, -1:]  # of whom all are contacted, all who left are caught
    edges = np.sort(churn.forecast)[::-1][np.ceil(SHARES * len(churn.forecast) - 1e-9).astype(int) - 1]
    return {
        "shares": SHARES.tolist(),
        "edges": _list(edges),
        "found": _with_interval(caught[ours] / churn.truth.mean(), drawn[:, 0] / np.maximum(left, 1e-12)),
        "methods": {
            ours: {"caught": _with_interval(caught[ours], drawn[:, 0])},
            **{
                name: {
                    "caught": _list(caught[name]),
                    "lead_of_ours": _with_interval(caught[ours] - caught[name], drawn[:, 0] - drawn[:, place]),
                }
                for place, name in enumerate(others, start=1)
            },
        },
    }


def _segments(cuts: Mapping[str, Texts], churn: Contest) -> Iterator[Json]:
    """Give each part of the customers, of every way to cut them up into 12 at most, that is not too small."""
    for cut, whose in cuts.items():
        names = segment_names(cut, whose)
        for name in names if len(names) <= MOST_SEGMENTS else ():
            left, said = churn.truth[whose == name], churn.forecast[whose == name]
            if len(left) >= FEWEST:
                low, high = (_told(one[0]) for one in wilson([left.sum()], [len(left)]))
                both = min(left.sum(), len(left) - left.sum()) >= FEWEST_OF_EACH
                yield {
                    "cut": cut,
                    "segment": name,
                    "customers": len(left),
                    "expected": _told(said.mean()),
                    "observed": [_told(left.mean()), low, high],
                    "auroc": _list(auroc_interval(left, said)) if both else None,
                }


def _taught(trained: Trained, time_zone: str) -> list[Json]:
    """Return how many were in the population at each cutoff that taught, and what share of them left."""
    at, churned = trained.snapshots.table.cutoffs, trained.snapshots.churned
    return [
        {"cutoff": _day(one, time_zone), "customers": int((at == one).sum()), "left": _told(churned[at == one].mean())}
        for one in trained.cutoffs
        if (at == one).any()
    ]


def _day(cutoff: int, time_zone: str) -> str:
    return moment(cutoff, time_zone).date().isoformat()


def _others(contest: Contest) -> Mapping[str, Matrix]:
    _ours, *others = contest.forecasts
    return {name: contest.forecasts[name] for name in others}


def _with_interval(values: Matrix, drawn: Matrix) -> list[list[float]]:
    low, high = np.percentile(drawn, [2.5, 97.5], axis=0)
    return [_list(one) for one in zip(values, low, high, strict=True)]


def _list(values: Iterable[float]) -> list[float]:
    return [_told(one) for one in values]


def _told(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}")
