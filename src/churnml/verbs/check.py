"""`churnml check`: the proofs a user can run on their own data."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table as Grid

from churnml.config import ScoreConfig, TrainConfig
from churnml.errors import ModelRefusedError, NotEnoughDataError, NotFoundError, UsageError, nearest
from churnml.verbs.check_report import leakage_page, skew_page, told_leakage, told_skew
from churnml.verbs.features import of_session
from churnml.verbs.horizon import train_config, train_settings
from churnml.verbs.session import Session, require_places
from churnml.wording import Language, Text

if TYPE_CHECKING:
    from churnml.features import Catalogue
    from churnml.modeling.leakage import Leakage
    from churnml.scoring.skew import Compared, ScoreSkew, Skew
    from churnml.scoring.skew_findings import NotScored

FOUND = 4
"""The exit code of a check that found something."""

_KINDS = (".html", ".md", ".json")


def check_reports(reports: Sequence[Path]) -> None:
    """Refuse a report of a kind that is not written, before the work.

    Raises
    ------
    UsageError
        If the name of one ends neither in .html nor in .md nor in .json.
    DependencyError
        If one cannot be written where it is to stand.
    """
    for report in reports:
        if report.suffix not in _KINDS:
            kinds = f"{', '.join(_KINDS[:-1])} or {_KINDS[-1]}"
            raise UsageError(f"--report must end in {kinds}, got {report.name}; rename it")
    require_places(reports)


def leakage(
    session: Session,
    *,
    cutoff: str | None = None,
    horizon_days: int | None = None,
    keep: Collection[str] = (),
    reports: Sequence[Path] = (),
    language: Language = "en",
) -> Leakage:
    """Check the landed data for leakage, tell people, and return what was found.

    Parameters
    ----------
    cutoff : str, optional
        A date whose horizon is over; the latest whose label is final by default.
    horizon_days : int, optional
        In place of the one in `configs/train.yaml`.
    keep : collection of str
        Features that raise no alarm whatever they tell alone.
    reports : sequence of Path
        Where to write everything as well: a page (`.html`), Markdown (`.md`) or JSON (`.json`).
    language : {"en", "zh"}, default "en"
        Of the page.

    Raises
    ------
    UsageError
        If the cutoff is no date, a report is of another kind, or a feature to keep is not on.
    NotEnoughDataError
        If no orders have landed, the horizon is not over, or too few left or stayed.
    BrokenCheckError
        If a planted leak is not found.
    """
    from churnml.labels import check_taught_by  # noqa: PLC0415
    from churnml.modeling.leakage import check_leakage, judged_at  # noqa: PLC0415  # compiles the kernel

    check_reports(reports)
    config, _ = train_config(session, session.cutoff(cutoff), horizon_days=horizon_days)
    check_taught_by(session.store, config.by)
    features = of_session(session)
    _require_features(features, keep)
    asked = None if cutoff is None else session.cutoff(cutoff)
    when = judged_at(session.store, session.cutoff(None), config, asked)
    with session.scratch() as folder:
        found = check_leakage(session.store, features, when, config, folder, keep, session.step)
    if not session.as_json:
        _show(session, told_leakage(found))
    _write(session, reports, found, lambda: leakage_page(found), lambda: _leakage_html(found, features, language))
    return found


def skew(
    session: Session,
    *,
    customers: int,
    cutoff: str | None = None,
    reports: Sequence[Path] = (),
    language: Language = "en",
) -> Skew:
    """Check that batch, training and online agree, tell people, and return what was found.

    Parameters
    ----------
    customers : int
        How many are drawn, at random by the seed in `configs/train.yaml`.
    cutoff : str, optional
        A date; the midnight after the last order by default.
    reports, language : sequence of Path, {"en", "zh"}
        As `leakage`.

    Raises
    ------
    UsageError
        If the cutoff is no date, or a report is of another kind.
    NotEnoughDataError
        If nobody is known at the cutoff.
    """
    from churnml.events.clock import moment  # noqa: PLC0415
    from churnml.scoring.skew import Skew, compare_features  # noqa: PLC0415  # compiles the kernel

    check_reports(reports)
    store, features, now = session.store, of_session(session), session.cutoff(cutoff)
    config = train_settings(session, now)
    cutoffs = _training_stack(session, config, now)
    days, seed = config.population_days, config.seed
    compared = compare_features(store, features, cutoffs, days, customers, seed=seed, steps=session.step, by=config.by)
    day = moment(cutoffs[-1], session.settings.time_zone).date().isoformat()
    if not len(compared.batch):
        raise NotEnoughDataError(f"a comparison needs a customer known by {day}, found none; choose a later --cutoff")
    counts = len(compared.batch), compared.base, len(features.features), len(cutoffs)
    scores = _scores(session, compared)
    found = Skew(day, *counts, compared.in_training, compared.online, scores)
    if not session.as_json:
        _show(session, told_skew(found))
    _write(session, reports, found, lambda: skew_page(found), lambda: _skew_html(found, features, language))
    return found


def _require_features(features: Catalogue, keep: Collection[str]) -> None:
    known = [feature.name for feature in features.features]
    for name in keep:
        if name not in known:
            raise UsageError(f"--keep: no feature `{name}` is on in this workspace{nearest(name, known)}")


def _training_stack(session: Session, config: TrainConfig, now: int) -> list[int]:
    """Return cutoffs as a training stacks them, ascending, the last the present one."""
    from churnml.events.clock import days_later  # noqa: PLC0415

    first, _ = session.store.span
    back = (days_later(now, -config.step_days * k, session.settings.time_zone) for k in range(config.max_cutoffs + 1))
    return sorted(cutoff for cutoff in back if cutoff > first or cutoff == now)


def _scores(session: Session, compared: Compared) -> ScoreSkew | NotScored:
    from churnml.modeling.bundle import load_bundle  # noqa: PLC0415  # LightGBM takes seconds to import
    from churnml.scoring.score import Terms  # noqa: PLC0415
    from churnml.scoring.skew import compare_scores  # noqa: PLC0415
    from churnml.scoring.skew_findings import ChampionRefused, NobodyToScore, NoChampion  # noqa: PLC0415

    champion = session.catalogue.alias("champion")
    table = compared.batch.take(compared.batch.modelled)
    if champion is None:
        return NoChampion()
    if not len(table):
        return NobodyToScore()
    config = session.load("score", ScoreConfig)
    try:
        model, _ = load_bundle(session.workspace.models / champion, session.own_learners)
        with session.step("Scores: the champion in one batch, and row by row") as tick:
            return compare_scores(table, model, champion, config.value_days, tick, Terms.of(config))
    except (ModelRefusedError, NotFoundError) as error:
        return ChampionRefused(str(error))


def _show(session: Session, told: Sequence[str | Grid]) -> None:
    for one in told:
        session.console.print(one, markup=not isinstance(one, str))


def _write(
    session: Session,
    reports: Sequence[Path],
    found: Leakage | Skew,
    markdown: Callable[[], str],
    page: Callable[[], str],
) -> None:
    """Write what was found to each file, in the kind that its ending names."""

    def as_json() -> str:
        return json.dumps(found.to_json(), ensure_ascii=False, indent=1) + "\n"

    written = {".html": page, ".md": markdown, ".json": as_json}
    for report in reports:
        text = written[report.suffix]()
        with session.workspace.atomically(report.resolve()) as draft:
            draft.write_text(text, encoding="utf-8")


def _leakage_html(found: Leakage, features: Catalogue, language: Language) -> str:
    from churnml.service.pages.reports.leakage import leakage_report_page  # noqa: PLC0415  # Jinja is not needed otherwise

    return leakage_report_page(found, _meanings(features), language)


def _skew_html(found: Skew, features: Catalogue, language: Language) -> str:
    from churnml.service.pages.reports.skew import skew_report_page  # noqa: PLC0415  # Jinja is not needed otherwise

    return skew_report_page(found, _meanings(features), language)


def _meanings(features: Catalogue) -> dict[str, Text]:
    return {feature.name: feature.meaning for feature in features.features}
