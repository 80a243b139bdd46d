"""`churnml measure policy`: what choosing by a catalogue would have been worth on past lots, before it is run."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from churnml.errors import NotEnoughDataError
from churnml.verbs.session import Session
from churnml.wording import Language, Text, format_money

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from churnml.policy import Catalogue
    from churnml.policy.measurement import Estimate
    from churnml.policy.off_policy import Drawn

Json = dict[str, Any]  # Any: JSON

_SAID = {
    "more": Text(
        "Choosing by {file} is worth {gain} [{low}, {high}] more per customer than doing nothing, its cost taken off, "
        "by {cases} past lots: more than chance explains.",
        "按 {file} 分配，扣除成本后每位客户比不采取行动多带来 {gain}［{low}，{high}］，"
        "依据 {cases} 次历史抽签，超出偶然。",
    ),
    "less": Text(
        "Choosing by {file} costs {gain} [{low}, {high}] per customer against doing nothing, by {cases} past lots: "
        "better not run it.",
        "按 {file} 分配，每位客户比不采取行动少 {gain}［{low}，{high}］，依据 {cases} 次历史抽签，不建议执行。",
    ),
    "open": Text(
        "Whether choosing by {file} is worth more than doing nothing is not told by {cases} past lots: {gain} "
        "[{low}, {high}] per customer.",
        "{cases} 次历史抽签尚不足以判断按 {file} 分配是否优于不采取行动：每位客户 {gain}［{low}，{high}］。",
    ),
}


def measure_policy(session: Session, *, actions: Path | None = None) -> Json:
    """Return what choosing by a catalogue would have been worth against doing nothing, on past lots.

    Each customer who drew their action by lot, and whose window has closed, is decided about anew: by the record that
    stood at the draw, the effects the catalogue assumes, and the last price of the budget. Where the lot gave what
    would be chosen, its outcome counts. What was measured since is left out on purpose: it was learned from the same
    outcomes.

    Parameters
    ----------
    actions : Path, optional
        The catalogue to judge; by default the workspace's own.

    Raises
    ------
    NotEnoughDataError
        If no lots have closed, or they amount to too few cases.
    ConfigError
        If the catalogue says something it cannot.
    """
    from churnml.policy import load_actions  # noqa: PLC0415  # SciPy is not needed by `--help`
    from churnml.policy.off_policy import off_policy_value  # noqa: PLC0415

    own = session.configs / "actions.yaml"
    file = actions or (own if own.exists() else None)
    catalogue, price = load_actions(file), _price(session)
    lots, chosen = _decided(session, catalogue, price)
    worth = off_policy_value(lots, chosen)
    low, high = worth.gain.fixed()
    body = {
        "actions": str(file or "actions.yaml"),
        "cases": len(chosen),
        "effective": worth.effective,
        "price": price,
        "currency": session.settings.currency,
        "chosen": {name: int((chosen == place).sum()) for place, name in enumerate(catalogue.names)},
        "gain": {"value": worth.gain.value, "low": low, "high": high},
        "value": _estimate(worth.value),
        "verdict": "more" if low > 0 else "less" if high < 0 else "open",
    }
    return body | {"said": asdict(_sentence(body))}


def told(body: Json, language: Language) -> str:
    """Return it in one sentence."""
    return str(body["said"][language])


def _price(session: Session) -> float:
    """Return what one more unit of budget brought in the last assignment: what spending it elsewhere is worth."""
    last = session.catalogue.last_run("assign")
    return float(last.summary["shadow_price"]) if last else 0.0


def _decided(session: Session, catalogue: Catalogue, price: float) -> tuple[Drawn, npt.NDArray[np.intp]]:
    """Return past lots that have a record, and what would be chosen for each."""
    import numpy as np  # noqa: PLC0415

    from churnml.policy import prior_effect  # noqa: PLC0415
    from churnml.policy.off_policy import Drawn  # noqa: PLC0415
    from churnml.verbs.effect_log import log_of, records_of  # noqa: PLC0415
    from churnml.verbs.effect_trials import drawn  # noqa: PLC0415  # LightGBM takes seconds to import
    from churnml.verbs.measure_effect import closed_cases, window_of  # noqa: PLC0415

    now = session.cutoff(None)
    found = closed_cases(session, log_of(session, now, None).treatments, window_of(session, now))
    lots, rows = drawn(found, catalogue.names[1:])
    records = records_of(session, found.treatments.take(rows))
    with_record = np.array([record is not None for record in records], dtype=np.bool_)
    if not with_record.any():
        raise NotEnoughDataError(
            f"a policy is judged by lots of `churnml assign` whose windows have closed, found none among {len(found)} "
            "closed cases; keep `explore_share` above 0 in configs/assign.yaml and ask again when windows have closed"
        )
    kept = Drawn(**{name: column[with_record] for name, column in vars(lots).items() if column is not None})

    def numbers(name: str) -> npt.NDArray[np.float64]:
        return np.array([record[name] for record in records if record is not None], dtype=np.float64)

    p, value, margin = (numbers(name) for name in ("churn_probability", "value_if_retained", "expected_margin"))
    net = prior_effect(catalogue, p, value, margin).lower - catalogue.costs(numbers("expected_basket"))
    net = np.where(kept.propensities > 0, net - price * catalogue.max_costs, -np.inf)
    net[:, 0] = 0.0
    return kept, np.argmax(net, axis=1).astype(np.intp)


def _estimate(found: Estimate) -> Json:
    low, high = found.fixed()
    return {"value": found.value, "low": low, "high": high}


def _sentence(body: Json) -> Text:
    said = _SAID[body["verdict"]]

    def in_words(language: Language) -> str:
        sign = -1 if body["verdict"] == "less" else 1
        gain = body["gain"]
        ends = sorted((sign * gain["low"], sign * gain["high"]))
        money = [format_money(one, body["currency"], language) for one in (sign * gain["value"], *ends)]
        return said.to(language).format(
            file=Path(body["actions"]).name, gain=money[0], low=money[1], high=money[2], cases=f"{body['cases']:,}"
        )

    return Text(in_words("en"), in_words("zh"))
