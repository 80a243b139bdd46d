"""What one more learner, or more shrinkage, makes of the blend of conversion: judged out of time on a workspace.

`python -m benchmarks.conversion_blend WORKSPACE CONFIGS ORIGINS` prints a row a blend at each origin. The learner
on trial is the logistic regression on a handful of columns that conversion is judged beside.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from churnml.config import BlendSettings, RidgeSettings, TrainConfig
from churnml.events.clock import days_later, moment
from churnml.labels import Outcomes, converted, label_lag, origins
from churnml.modeling.backtest import last_origin
from churnml.modeling.blend import blend_weights
from churnml.modeling.churn import Recipe, fit_churn
from churnml.modeling.conversion import AGE_COLUMNS
from churnml.modeling.conversion_baselines import logistic_on_a_handful
from churnml.modeling.cutoffs import cutoffs_before
from churnml.modeling.design import fit_design
from churnml.modeling.learners import sigmoid
from churnml.modeling.metrics import auroc, ece, log_loss
from churnml.modeling.prospects import AGE, Prospects
from churnml.modeling.rhythm import logit_of
from churnml.modeling.snapshots import snapshots
from churnml.verbs.features import of_session
from churnml.verbs.session import Session

Matrix = npt.NDArray[np.float64]
Rolling = list[tuple[list[int], int]]

_VARIANCE, _SHRINKAGES = 0.03, (0.02, 0.1)


def blends(prospects: Prospects, config: TrainConfig, rolling: Rolling) -> Iterator[tuple[str, Matrix, str]]:
    """Give what each blend says of the prospects that are asked about, and its weights."""
    table, asked, came = prospects.table, prospects.at_now, prospects.converted
    design = fit_design(table, AGE_COLUMNS)
    matrix = design.matrix(table, prospects.age_logit[:, None])
    recipe = Recipe(config.trees, RidgeSettings(variance=_VARIANCE), BlendSettings())
    more = {"rounds": config.rounds, "seed": config.seed, "recipe": recipe}
    fit = fit_churn(matrix, prospects.age_logit, came, table.cutoffs, rolling, **more)  # type: ignore[arg-type]  # as named
    hazard = prospects.hazard
    age = logit_of(hazard.probability(asked.column(AGE), config.horizon_days)) if hazard else np.zeros(len(asked))
    said = fit.model.logits(design.matrix(asked, age[:, None]), age)
    judged = np.unique(table.cutoffs[fit.judged])  # not all origins can teach
    before = np.concatenate([_handful(prospects, teach, judge) for teach, judge in rolling if judge in judged])
    handful = logit_of(logistic_on_a_handful(prospects, asked))
    for shrinkage in _SHRINKAGES:
        for name, taught, told in (
            ("blend", fit.logits, said),
            ("blend with the handful", np.column_stack([fit.logits, before]), np.column_stack([said, handful])),
        ):
            weights = blend_weights(taught, came[fit.judged], shrinkage)
            shown = " ".join(f"{one:.2f}" for one in weights)
            yield f"{name}, shrinkage {shrinkage:g}", sigmoid(told @ np.array(weights)), shown


def _handful(prospects: Prospects, teach: list[int], judge: int) -> Matrix:
    """Return the logit of the handful at a rolling origin, taught before it."""
    then, rows = np.isin(prospects.table.cutoffs, teach), prospects.table.cutoffs == judge
    early = replace(prospects, table=prospects.table.take(then), converted=prospects.converted[then])
    return logit_of(logistic_on_a_handful(early, prospects.table.take(rows)))


def main(workspace: Path, configs: Path, most: int) -> None:
    """Print how each blend did, an origin after the other, the latest first."""
    session = Session.open(workspace, configs)
    config, store, features = session.load("train", TrainConfig), session.store, of_session(session)
    test = last_origin(store, session.cutoff(None), config)
    for _ in range(most):
        at = cutoffs_before(store, test, config, fewest=1)
        prospects = snapshots(store, features, at, test, config, 1.0, rung="recency").prospects
        if prospects is None:
            return
        asked, days = prospects.at_now, config.horizon_days
        came = converted(Outcomes.read(store, [test], days).at(asked.customer_ids, asked.cutoffs)).astype(np.float64)
        lag = label_lag(store, config.return_window_days)
        rolling = [(list(teach), judge) for teach, judge in origins(at, days, config.folds, store.time_zone, lag)]
        day = moment(test, store.time_zone).date()
        print(f"{day}: {len(asked)} prospects, {came.mean():.1%} became customers; log loss, AUROC, ECE, weights")
        with threadpool_limits(limits=1, user_api="blas"):
            alone = [("logistic on a handful", logistic_on_a_handful(prospects, asked), "")]
            for name, told, weights in (*alone, *blends(prospects, config, rolling)):
                figures = f"{log_loss(came, told):.4f} {auroc(came, told):.4f} {ece(came, told):.3f}"
                print(f"  {name:40} {figures}  {weights}", flush=True)
        test = days_later(test, -days, store.time_zone)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
