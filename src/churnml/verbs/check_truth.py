"""`churnml check truth`: a model beside the truth of a simulated market."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from churnml.config import ScoreConfig
from churnml.errors import NotEnoughDataError, UsageError
from churnml.events.clock import midnight
from churnml.events.simulation import Market, market_in, usual_futures
from churnml.verbs.features import of_session
from churnml.verbs.horizon import train_config
from churnml.verbs.session import Session, require_places
from churnml.verbs.simulate import FOLDER

if TYPE_CHECKING:
    from churnml.features import FeatureTable
    from churnml.modeling.coverage import Coverage
    from churnml.modeling.model import Forecast, Model
    from churnml.modeling.truth import BesideTruth

DAYS = (30, 60, 90)
_KINDS = (".md", ".json")
_FEWEST = 100


def truth(
    session: Session,
    *,
    cutoff: str | None = None,
    customers: int = 5_000,
    redraws: int = 50,
    reports: Sequence[Path] = (),
) -> BesideTruth:
    """Train a model at a morning of the market, hold it against the truth, and return what was found.

    Parameters
    ----------
    cutoff : str, optional
        A date whose morning the market saved; the last by default.
    customers : int
        Of how many in the population the truth is asked, drawn at random by the seed in `configs/train.yaml`.
    redraws : int
        Futures of each.
    reports : sequence of Path
        Where to write everything as well: Markdown (`.md`) or JSON (`.json`).

    Raises
    ------
    UsageError
        If that morning was not saved, a report is of another kind, or days begin at another hour than the market's.
    NotFoundError
        If the workspace holds no simulated market.
    NotEnoughDataError
        As `modeling.train`, if the horizon outlasts the market, or if fewer than 100 are in the population.
    """
    from churnml.modeling.calibration_words import calibration_json  # noqa: PLC0415  # LightGBM takes seconds to import
    from churnml.modeling.cutoffs import cutoffs_before  # noqa: PLC0415
    from churnml.modeling.train import train  # noqa: PLC0415
    from churnml.modeling.truth import BesideTruth, chances, worth  # noqa: PLC0415
    from churnml.scoring.score import score  # noqa: PLC0415

    _check_reports(reports)
    folder = session.workspace.root / FOLDER
    market = market_in(folder)
    when = _morning(market, cutoff)
    now, day = _midnight(session, when), market.mornings[when]
    config, _ = train_config(session, now)
    _require_over(market, when, day, config.horizon_days)
    with session.step(f"Training as of {when}") as tick:
        at = cutoffs_before(session.store, now, config, fewest=0)
        rate = session.settings.margin_rate
        trained = train(session.store, of_session(session), at, now, config, rate, tick, curve=True, rung=None)
    table = _drawn(trained.snapshots.base_at_now, customers, config.seed)
    value_days = max(session.load("score", ScoreConfig).value_days, config.horizon_days)
    scores = score(table, trained.model, value_days)
    days = sorted({*DAYS, config.horizon_days})
    said = scores.forecast.churn_within[:, np.isin(scores.forecast.days, days)]
    raw = _raw(trained.model).forecast(table, value_days, days).churn_within
    horizons = tuple(sorted({*days, value_days}))
    with session.step(f"Living {redraws} futures of {len(table):,} customers") as tick:
        told = usual_futures(folder, day, list(table.customer_ids), horizons, redraws, tick)
    true = told.silent[[horizons.index(one) for one in days]].T
    found = BesideTruth(
        when.isoformat(),
        len(table),
        redraws,
        trained.model.rung,
        calibration_json(trained),
        chances(days, config.horizon_days, said, raw, true, seed=config.seed),
        (
            worth(config.horizon_days, scores.expected_margin, told.margin[horizons.index(config.horizon_days)]),
            worth(value_days, scores.clv, told.margin[horizons.index(value_days)]),
        ),
        _intervals(session, scores.forecast, table, config.horizon_days),
    )
    if not session.as_json:
        session.console.print(page(found), markup=False)
    _write(session, found, reports)
    return found


def page(found: BesideTruth) -> str:
    """Return what was found as Markdown."""
    from churnml.modeling.truth import GOAL  # noqa: PLC0415

    rows = [
        f"| {one.days}{'' if one.taught else ' (beyond the horizon)'} | {one.said:.3f} | {one.true:.3f} | "
        f"{one.ece:.4f} | {one.ece_raw:.4f} | {one.perfect_95:.4f} | {one.log_loss:.5f} | {one.log_loss_raw:.5f} | "
        f"{'yes' if one.holds else 'no'} |"
        for one in found.chances
    ]
    sums = [
        f"| {one.days} | {one.said:.2f} | {one.true:.2f} | {one.bias:+.1%} | {one.gini:.3f} | {one.spearman:.3f} |"
        for one in found.worths
    ]
    fifths = ", ".join(f"{one.covered:.1%}" for one in found.intervals.fifths)
    return (
        f"# Beside the truth of a simulated market, {found.cutoff}\n\n"
        f"{found.customers:,} customers, the truth of each the mean of {found.redraws} futures under business as "
        f"usual. The model stands on the rung `{found.rung}`; calibration `{found.calibration['taken']}`, for "
        f"{found.calibration['because']}. ECE holds up to {GOAL:g}, or up to what a perfect model stays below 19 times "
        "in 20.\n\n" + _table(_CHANCES, rows) + "\n" + _table(_WORTHS, sums) + "\n"
        f"Intervals for nine of ten hold the margin that came for {found.intervals.covered:.1%}; by fifths of the "
        f"forecast {fifths}. Margins are not discounted, and what serving costs is left out.\n"
    )


_CHANCES = ("left within, days", "said", "true", "ECE", "ECE raw", "perfect", "log loss", "log loss raw", "holds")
_WORTHS = ("margin in, days", "said", "true", "bias", "nGini", "Spearman")


def _table(names: Sequence[str], rows: Sequence[str]) -> str:
    return "\n".join([f"| {' | '.join(names)} |", f"|{'---|' * len(names)}", *rows, ""])


def _check_reports(reports: Sequence[Path]) -> None:
    for report in reports:
        if report.suffix not in _KINDS:
            raise UsageError(f"--report must end in {' or '.join(_KINDS)}, got {report.name}; rename it")
    require_places(reports)


def _morning(market: Market, cutoff: str | None) -> date:
    """Return the day that is asked for, or the last that was saved."""
    saved = sorted(market.mornings)
    known = ", ".join(one.isoformat() for one in saved) or "none, for the market is too short"
    if not saved or (cutoff is not None and cutoff not in {one.isoformat() for one in saved}):
        raise UsageError(
            f"--cutoff must be a day whose morning the market saved ({known}), got {cutoff or 'none'}; every 90 days "
            "back from the end are saved"
        )
    return saved[-1] if cutoff is None else date.fromisoformat(cutoff)


def _midnight(session: Session, when: date) -> int:
    zone = session.settings.time_zone
    if midnight(when, zone) != midnight(when, "UTC"):
        raise UsageError(
            f"a market's days begin at midnight UTC, `time_zone` is {zone}; set `time_zone: UTC` in "
            "configs/workspace.yaml of its workspace"
        )
    return midnight(when, zone)


def _require_over(market: Market, when: date, day: int, horizon_days: int) -> None:
    if day + horizon_days > market.days:
        raise NotEnoughDataError(
            f"a horizon of {horizon_days} days from {when} outlasts the market, which ends on {market.ends}; take an "
            "earlier --cutoff, or a shorter `horizon_days` in configs/train.yaml"
        )


def _drawn(base: FeatureTable, customers: int, seed: int) -> FeatureTable:
    inside = np.flatnonzero(base.modelled)
    if len(inside) < _FEWEST:
        raise NotEnoughDataError(
            f"a comparison with the truth takes {_FEWEST} customers of the population, found {len(inside)}; simulate "
            "a larger market"
        )
    drawn = np.random.default_rng(seed).permutation(inside)[:customers]
    return base.take(np.sort(drawn))


def _raw(model: Model) -> Model:
    """Return the model with every calibration left out."""
    from churnml.modeling.calibration import RAW  # noqa: PLC0415

    sooner = {day: replace(blend, calibration=RAW) for day, blend in model.sooner.items()}
    return replace(model, churn=replace(model.churn, calibration=RAW), sooner=sooner)


def _intervals(session: Session, told: Forecast, table: FeatureTable, horizon_days: int) -> Coverage:
    """Return how often the interval of the margin held what came in the life that was recorded."""
    from churnml.labels import Outcomes, margin  # noqa: PLC0415
    from churnml.modeling.coverage import Told, coverage  # noqa: PLC0415

    outcomes = Outcomes.read(session.store, [int(table.cutoffs[0])], horizon_days)
    came = margin(outcomes.at(table.customer_ids, table.cutoffs), session.settings.margin_rate)
    return coverage([Told(told.expected_margin, told.margin_range, came)])


def _write(session: Session, found: BesideTruth, reports: Sequence[Path]) -> None:
    body = {".md": page(found), ".json": json.dumps(found.to_json(), ensure_ascii=False, indent=1) + "\n"}
    for report in reports:
        with session.workspace.atomically(report.resolve()) as draft:
            draft.write_text(body[report.suffix], encoding="utf-8")
