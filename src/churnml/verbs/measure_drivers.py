"""`churnml measure drivers`: how those who left differed from those who stayed, and what they said themselves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from churnml.config import MeasureConfig
from churnml.errors import NotEnoughDataError
from churnml.verbs.session import Session
from churnml.wording import Text

if TYPE_CHECKING:
    from churnml.events.books import Books
    from churnml.features import Catalogue
    from churnml.measures.compared import Compared, Leaving
    from churnml.measures.driver_tables import Told
    from churnml.measures.measure import Asked, Measure

_FROM_LEAVING = frozenset({"stage", "segment", "rfm"})
"""Parts by what customers do at the end: they tell who left, so nothing can be told by them of why."""


def figures(session: Session, books: Books, asked: Asked) -> list[Measure]:
    """Return circumstances, symptoms, stated reasons, the last days, and with `by` the circumstances of each part.

    Raises
    ------
    NotEnoughDataError
        If no month start of the span has a horizon that is over, or nobody who left has anybody alike beside them.
    """
    from churnml.measures.compared import compared  # noqa: PLC0415  # compiles the kernel
    from churnml.measures.differences import differences  # noqa: PLC0415
    from churnml.measures.drivers import drivers  # noqa: PLC0415
    from churnml.measures.drivers_by_part import drivers_by_part  # noqa: PLC0415
    from churnml.measures.last_days import ALIKE, last_days, lay_compared  # noqa: PLC0415
    from churnml.measures.stated import Theme, stated_reasons  # noqa: PLC0415
    from churnml.verbs.features import of_session  # noqa: PLC0415

    settings, catalogue = session.load("measure", MeasureConfig), of_session(session)
    leaving, cutoffs, whose = _what_is_compared(session, asked)
    rows = compared(session.store, catalogue, cutoffs, leaving, settings.drivers.rows, settings.seed)
    _check_beside(rows)
    found = differences(rows, catalogue, asked.smallest)
    told = _told(session, asked, cutoffs, leaving, catalogue, rows, settings.drivers.false_claims, whose)
    lay_compared(books, rows.rows(rows.as_active))
    lay_compared(books, rows.rows(rows.alike), ALIKE)
    themes = [
        Theme(name, Text(theme.label.en, theme.label.zh), theme.words)
        for name, theme in settings.drivers.themes.items()
    ]
    parts = [drivers_by_part(rows, found, told, _part_of(books, asked.by, rows))] if _parts(asked) else []
    return [
        *drivers(rows, found, told),
        *parts,
        stated_reasons(books, themes, rows.as_active, told, asked.begin, asked.end),
        last_days(books, rows.as_active, rows.alike, told),
    ]


def _check_beside(rows: Compared) -> None:
    """Refuse where no row of who left lies in a stratum with enough of those who stayed."""
    from churnml.measures.driver_words import nobody_beside  # noqa: PLC0415
    from churnml.measures.matching import FEWEST_STAYED  # noqa: PLC0415

    if not rows.as_active.inside.any():
        left = int(rows.left.sum())
        raise NotEnoughDataError(nobody_beside(FEWEST_STAYED, left, len(rows.left) - left))


def _parts(asked: Asked) -> bool:
    return asked.by is not None and asked.by not in _FROM_LEAVING


def _what_is_compared(session: Session, asked: Asked) -> tuple[Leaving, list[int], Text]:
    """Return what leaving is, the month starts whose labels are final by the end, and whose definition it is."""
    from churnml.events.clock import days_later, moment  # noqa: PLC0415
    from churnml.labels import check_taught_by  # noqa: PLC0415
    from churnml.measures.compared import Leaving  # noqa: PLC0415
    from churnml.measures.periods import periods  # noqa: PLC0415
    from churnml.modeling.cutoffs import lag_of  # noqa: PLC0415
    from churnml.verbs.horizon import served_settings, train_config  # noqa: PLC0415

    store, zone = session.store, session.settings.time_zone
    config, champion = served_settings(session, asked.end)
    if config.horizon_share is not None:  # read off the data, which takes a pass over them
        config, _ = train_config(session, asked.end)
    check_taught_by(store, config.by)
    lag = lag_of(store, config)
    leaving = Leaving(config.by, config.horizon_days, config.population_days, lag, config.grace_days, asked.end)
    begin = max(asked.begin, days_later(store.span[0], config.min_history_days, zone))
    months = periods(asked.begin, days_later(asked.end, _TWO_MONTHS, zone), "month", zone)
    starts = [one.begin for one in months if one.begin >= begin]
    final = [one for one in starts if days_later(days_later(one, config.horizon_days, zone), lag, zone) <= asked.end]
    if not final:
        first, last = (moment(one, zone).date() for one in (begin, asked.end))
        where = session.configs / "train.yaml"
        raise NotEnoughDataError(
            Text(
                f"drivers are told at month starts whose horizon of {config.horizon_days} days and the {lag} days "
                f"after it are over, found none from {first} (after {config.min_history_days} days of history) to "
                f"{last}; give an earlier --from or a later --to, or shorten `horizon_days` in {where}",
                f"流失因素以月初为时点，要求其后 {config.horizon_days} 天的预测期及另外 {lag} 天均已结束；"
                f"{first}（历史满 {config.min_history_days} 天之后）至 {last} 之间没有这样的时点；"
                f"请选择更早的 --from 或更晚的 --to，或在 {where} 中缩短 `horizon_days`",
            )
        )
    return leaving, final, _whose(champion)


def _whose(champion: str | None) -> Text:
    if champion is None:
        return Text(
            "No model is in service: what leaving is stands in train.yaml.",
            "当前没有启用的模型：流失的定义取自 train.yaml。",
        )
    version = champion[:_SHORT]
    return Text(
        f"Leaving is what the model in service ({version}) forecasts, with its horizon.",
        f"流失的定义与预测期取自当前启用的模型（{version}）。",
    )


_SHORT = 12
_TWO_MONTHS = 62


def _told(
    session: Session,
    asked: Asked,
    cutoffs: list[int],
    leaving: Leaving,
    catalogue: Catalogue,
    rows: Compared,
    rate: float,
    whose: Text,
) -> Told:
    from churnml.events.clock import moment  # noqa: PLC0415
    from churnml.measures.driver_tables import Told  # noqa: PLC0415

    zone = session.settings.time_zone
    days = leaving.horizon_days
    means = (
        Text(
            f"leaving is the end of a contract in the {days} days after a month start that none continued",
            f"流失指月初时点之后 {days} 天内合同终止且无续约",
        )
        if leaving.by == "contracts"
        else Text(
            f"leaving is no order in the {days} days after a month start, of those who ordered in the "
            f"{leaving.population_days} before",
            f"流失指此前 {leaving.population_days} 天内下过单的客户在月初时点之后 {days} 天内没有下单",
        )
    )
    return Told(
        moment(cutoffs[0], zone).date().isoformat(),
        moment(asked.end, zone).date().isoformat(),
        means,
        len(cutoffs),
        rate,
        asked.smallest,
        tuple(sorted({feature.table for feature in catalogue.features})),
        (whose, *_remarks(asked, catalogue, rows)),
    )


def _remarks(asked: Asked, catalogue: Catalogue, rows: Compared) -> Iterator[Text]:
    if rows.share < 1:
        yield Text(
            f"Of a random sample of {rows.share:.1%} of the customers (`drivers.rows` in measure.yaml).",
            f"取自 {rows.share:.1%} 客户的随机样本（measure.yaml 中的 `drivers.rows`）。",
        )
    if catalogue.off:
        from churnml.features.catalogue import FAMILIES as TABLES_OF  # noqa: PLC0415  # compiles the kernel
        from churnml.measures.driver_words import FAMILIES  # noqa: PLC0415

        off = "; ".join(f"{FAMILIES[name].en} ({needs})" for name, needs in catalogue.off.items())
        off_zh = "；".join(f"{FAMILIES[name].zh}（需要 {' 或 '.join(TABLES_OF[name])}）" for name in catalogue.off)
        yield Text(
            f"Families of features that are off, of which nothing is told: {off}.",
            f"以下特征族未启用，无从得知：{off_zh}。",
        )
    if asked.by is not None and not _parts(asked):
        yield Text(
            f"Not told by {asked.by}, which itself says who left; part by what was so before, such as an attribute.",
            f"未按 {asked.by} 细分，因为它本身已体现谁已流失；请按事先就有的属性细分。",
        )


def _part_of(books: Books, by: str | None, rows: Compared) -> list[str | None]:
    """Return the part of the customer of each row, None of one who is in the books no more."""
    import pandas as pd  # noqa: PLC0415

    from churnml.measures.parts import parts  # noqa: PLC0415

    ids = pd.DataFrame({"customer_id": sorted({str(one) for one in rows.table.customer_ids})})
    books.add("compared_customers", ids)
    found = books.frame(f"SELECT customer_id, part FROM {parts(books, by)} JOIN compared_customers USING (customer_id)")
    known = dict(zip(found["customer_id"], found["part"], strict=True))
    return [known.get(str(one)) for one in rows.table.customer_ids]
