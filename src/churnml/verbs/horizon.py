"""Which horizon a verb works with: the one that is set, or the one that the gaps between orders suggest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from churnml.config import TrainConfig
from churnml.errors import NotEnoughDataError
from churnml.events.clock import DAY
from churnml.verbs.session import Session
from churnml.wording import Text

if TYPE_CHECKING:
    from churnml.events import By
    from churnml.labels import Horizon

_USUAL_SHARE = 0.1


def train_config(session: Session, now: int, **given: Any) -> tuple[TrainConfig, Horizon | None]:  # Any: options
    """Return the settings of training with the horizon that counts, and what the data suggest.

    Parameters
    ----------
    now : int
        The cutoff; later orders are not looked at. Microseconds UTC.
    **given
        What the command line sets; a `horizon_days` there stands above a `horizon_share` in the file.

    Returns
    -------
    config : TrainConfig
        With a `horizon_days` that counts, and `churn` settled.
    suggested : Horizon or None
        What the data suggest; None where they say too little and nobody asked.

    Raises
    ------
    NotEnoughDataError
        If the horizon is to be read off the data and they say too little.
    """
    config = train_settings(session, now, **given)
    if given.get("horizon_days") is not None:
        config = config.model_copy(update={"horizon_share": None})
    try:
        suggested = _suggested(session, now, config.horizon_share or _USUAL_SHARE)
    except NotEnoughDataError:
        if config.horizon_share is not None:
            raise
        return config, None
    if config.horizon_share is not None:
        config = config.model_copy(update={"horizon_days": suggested.days})
    return config, suggested


_MOST = 0.5


def train_settings(session: Session, now: int, **given: Any) -> TrainConfig:  # Any: options
    """Return the settings of training with `churn` settled, the horizon as it is set."""
    config = session.train_settings(**given)
    return config.model_copy(update={"churn": _by(session, now, config)})


def served_settings(session: Session, now: int) -> tuple[TrainConfig, str | None]:
    """Return the settings with the days and the kind of churn of the champion, so that measures tell of what it does.

    Parameters
    ----------
    now : int
        By whose rows `churn: auto` is settled where there is no champion; microseconds UTC.

    Returns
    -------
    config : TrainConfig
        Of `train.yaml`, with `churn`, `horizon_days`, `population_days` and `grace_days` of the champion, which has no
        `horizon_share` left to be read off the data.
    champion : str or None
        Its version; None where there is none, and all is as `train.yaml` has it.

    Raises
    ------
    ModelRefusedError
        If the champion's bundle is damaged.
    """
    champion = session.catalogue.alias("champion")
    if champion is None:
        return train_settings(session, now), None
    from churnml.modeling.bundle import load_bundle  # noqa: PLC0415  # LightGBM takes seconds to import

    model, _ = load_bundle(session.workspace.models / champion, session.own_learners)
    own: dict[str, object] = {"horizon_days": model.horizon_days, "population_days": model.population_days}
    own |= {"churn": model.by, "horizon_share": None}
    own |= {"grace_days": model.grace_days} if model.by == "contracts" else {}
    return session.train_settings().model_copy(update=own), champion


def _by(session: Session, now: int, config: TrainConfig) -> By:
    """Return what leaving is: as set, and where that is left to the data, what holds for most of the population."""
    from churnml.events import share_under_contract  # noqa: PLC0415  # DuckDB and Arrow are not needed otherwise

    if config.churn != "auto":
        return config.churn
    share = share_under_contract(session.store, now, config.population_days)
    return "contracts" if share > _MOST else "orders"


def _suggested(session: Session, now: int, share: float) -> Horizon:
    from churnml.events import order_gaps  # noqa: PLC0415  # DuckDB and Arrow are not needed otherwise
    from churnml.labels import suggested_horizon  # noqa: PLC0415

    if "orders" not in session.store.tables:
        where = session.configs / "train.yaml"
        raise NotEnoughDataError(
            Text(
                "a horizon is read off the gaps between orders, found no orders landed; set `horizon_days` in "
                f"{where} and leave `horizon_share` out",
                f"预测期由订单间隔得出，但尚未导入订单；请在 {where} 中设定 `horizon_days`，并去掉 `horizon_share`",
            )
        )
    history_days = max(now - session.store.span[0], 0) // DAY
    return suggested_horizon(order_gaps(session.store, now), history_days, share)


def told(config: TrainConfig, suggested: Horizon) -> str:
    """Return in words how the horizon stands to the gaps between orders."""
    days = config.horizon_days
    longer = f"{suggested.longer_than(days):.1%} of the gaps between orders are longer"
    if config.horizon_share is not None:
        why = f" ({suggested.bounded_by})" if suggested.bounded_by else ""
        return f"horizon {days} days, read off the data: {longer}{why}"
    if days == suggested.days:
        return f"horizon {days} days, as set: {longer}"
    return (
        f"horizon {days} days, as set: {longer}; read off the data (`horizon_share: {suggested.share:g}`) it would be "
        f"{suggested.days}"
    )
