"""`churnml measure kpis`: the figures of the business by period, against their targets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from churnml.config import KpiConfig, TrainConfig
from churnml.errors import ConfigError, UsageError
from churnml.verbs.grouping import lay_scores, scored_by
from churnml.verbs.horizon import served_settings
from churnml.verbs.session import Session

if TYPE_CHECKING:
    from churnml.events.books import Books
    from churnml.measures.kpi_list import Windows
    from churnml.measures.kpi_targets import Target
    from churnml.measures.measure import Asked, Measure


def figures(session: Session, books: Books, asked: Asked) -> list[Measure]:
    """Return the figures of the last period, the alerts, and the figures of all periods.

    Raises
    ------
    ConfigError
        If `configs/kpis.yaml` aims at a figure there is none of, or at a share outside 0 to 1.
    """
    from churnml.measures.kpis import kpis, require_sound  # noqa: PLC0415  # pandas

    config = session.load("kpis", KpiConfig)
    targets = _targets(config)
    try:
        require_sound(targets, f"{session.configs / 'kpis.yaml'}: `targets`")
    except UsageError as error:
        raise ConfigError(str(error)) from error
    _lay_forecasts(session, books, asked.end)
    return kpis(
        books,
        asked,
        windows=_windows(config, served_settings(session, asked.end)[0]),
        targets=targets,
        margin_rate=session.settings.margin_rate,
    )


def _windows(config: KpiConfig, model: TrainConfig) -> Windows:
    """Return the days of the definitions; those a model counts with are its own unless they are set."""
    from churnml.measures.kpi_list import Windows  # noqa: PLC0415

    return Windows(
        horizon_days=config.horizon_days or model.horizon_days,
        population_days=config.population_days or model.population_days,
        grace_days=model.grace_days,
        return_days=model.return_window_days,
        conversion_days=config.conversion_days,
        repeat_days=config.repeat_days,
        answer_days=config.answer_days,
        category_days=config.category_days,
        price_days=config.price_days,
        price_rise=config.price_rise,
    )


def _targets(config: KpiConfig) -> dict[str, Target]:
    from churnml.measures.kpi_targets import Target  # noqa: PLC0415

    return {
        name: Target(*one.aim, parts={part: own.aim for part, own in one.parts.items()})
        for name, one in config.targets.items()
    }


def _lay_forecasts(session: Session, books: Books, end: int) -> None:
    """Lay beside the books what the latest scores up to an instant say of each customer's value.

    Parameters
    ----------
    end : int
        The end of the report, microseconds UTC.
    """
    from churnml.measures.kpi_money import FORECASTS  # noqa: PLC0415

    run = scored_by(session, end)
    if run is not None:
        books.keep(FORECASTS, f"SELECT customer_id, clv FROM {lay_scores(session, books, run, 'scored')}")
