"""A finished run of a few dozen records, some of them hostile, and a client that asks the service about it."""

import logging
import re
import warnings
from contextlib import contextmanager
from pathlib import Path

from callers import FAR_AHEAD, TESTER, a_key, bearing  # noqa: F401  # tests take them from here as well
from churnml.database import Catalogue, Records, open_engine
from churnml.measures import SEGMENTS, STAGES
from churnml.service import create_app
from churnml.service.logs import REQUESTS, configure, flush

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # Starlette would rather have another client library than the one we lock
    from starlette.testclient import TestClient

CUTOFF = "2018-01-01T00:00:00+00:00"
MODEL = "9b1d" * 16
HOSTILE = [
    "<script>alert(1)</script>",
    '=HYPERLINK("http://x","y")',
    "a/b/../c",
    "100%?&#",
    "客户 7",
    "-12+3",
    "trailing/",
    '"><img src=x onerror=alert(1)>',
]
ACTIONS = {
    "coupon_10": ("10% coupon", "九折优惠券"),
    "call": ("Personal call", "客服电话回访"),
    "service": ("Ask what went wrong", "服务回访"),
}


def record(customer_id, rank, rung="blend", **changes):
    """Return a decision record; the greater its rank, the less is at risk."""
    scored = rung == "blend"
    chance = round(max(0.93 - 0.014 * rank, 0.02), 4)
    value = round(620 / (1 + 0.09 * rank), 2)
    action = list(ACTIONS)[rank % 3] if scored and rank % 5 != 4 else None
    arm = None if not scored else "none" if action is None else "control" if rank % 7 == 3 else "treated"
    days = 12 + 3 * rank % 71
    body = {
        "customer_id": customer_id,
        "cutoff": CUTOFF,
        "model_version": MODEL,
        "rung": rung,
        "horizon_days": 60,
        "population_days": 90,
        "churn_probability": chance if scored else None,
        "churn_probability_low": None,
        "churn_probability_high": None,
        "risk_band": ("high" if chance > 0.6 else "medium" if chance > 0.3 else "low") if scored else None,
        "expected_margin": round(value * 0.12, 2) if scored else None,
        "margin_low": 0.0 if scored else None,
        "margin_median": round(value * 0.09, 2) if scored else None,
        "margin_high": round(value * 0.31, 2) if scored else None,
        "clv": round(value * (1 - chance / 2), 2) if scored else None,
        "clv_days": 365,
        "discount_rate": 0.1,
        "cost_to_serve": 4.5 if scored and rank % 2 else 0.0 if scored else None,
        "acquisition_cost": 40.0 if rank % 3 == 1 else None,
        "clv_to_cac": round(value * (1 - chance / 2) / 40, 2) if scored and rank % 3 == 1 else None,
        "value_if_retained": value if scored else None,
        "value_at_risk": round(chance * value, 2) if scored else None,
        "conversion_probability": None,
        "conversion_low": None,
        "conversion_high": None,
        "conversion_rung": None,
        "p_alive": round(1 - chance / 2, 3) if scored else None,
        **satisfaction(rank if scored else None),
        **next_category(rank if scored else None),
        "next_order": next_order(rank) if scored else [],
        "no_order_within": silence(chance) if scored else [],
        "lifecycle_stage": "prospect" if rung in ("prospect", "trial") else list(STAGES)[1 + rank % 6],
        "segment": list(SEGMENTS)[rank % 9] if scored else None,
        "funnel_stage": "paying",
        "funnel_stage_label": {"en": "Paying", "zh": "付费"},
        "currency": "USD",
        "last_order_on": None if rung in ("prospect", "trial") else "2017-11-20T18:02:11+00:00",
        "order_days": 0 if rung in ("prospect", "trial") else 3 + rank,
        "tenure_days": 40 + 9 * rank,
        "reasons": reasons(days) if scored else [],
        "action": action,
        "action_label": dict(zip(("en", "zh"), ACTIONS[action], strict=True)) if action else None,
        "action_script": {"en": f"Dear {customer_id}, we miss you.", "zh": "好久不见，送上一份心意。"}
        if action
        else None,
        "arm": arm,
        "propensity": 0.9 if action else None,
        "expected_net_value": round(5.2 - rank, 2) if action else None,
        "effect_source": "prior" if action else None,
        "no_action_because": None if action else "no_consent" if scored else "no_score",
    }
    return body | changes


def silence(chance):
    """Return the curve of one whose orders come at a steady rate."""
    told = {days: round(chance ** (days / 60), 4) for days in (14, 30, 60, 90, 180, 365)}
    return [{"days": days, "probability": p, "extrapolated": days > 60} for days, p in told.items()]


def satisfaction(rank):
    """Return what a run says of one who answered, of one who never did, and of one of whom nothing is told."""
    names = ("satisfaction", "satisfaction_low", "satisfaction_high")
    if rank is None or rank % 3 == 2:
        return {**dict.fromkeys(names), "satisfaction_from": "none"}
    point = 30.0 + rank % 50
    told = dict(zip(names, (point, point - 21.5, point + 18.0), strict=True))
    return told | {"satisfaction_from": "answers" if rank % 3 == 0 else "estimate"}


def next_category(rank):
    """Return what a run says of the category to offer: one that goes with what they buy, one that is popular, none."""
    if rank is None or rank % 3 == 2:
        return {"next_category": None, "category_offers": []}
    basis = "co_purchase" if rank % 3 == 0 else "popularity"
    offer = {"category": "=<b>tea</b>", "kind": "cross_sell", "basis": basis, "score": 0.21}
    due = {"category": "milk", "kind": "replenish", "basis": "own_interval", "score": 0.87}
    why = {"en": "Has not bought it in 365 days", "zh": "365 天内未购买"}
    return {"next_category": offer | {"within_days": 28, "why": why}, "category_offers": [offer, due]}


def next_order(rank):
    """Return dates such as a run gives: the riskiest has none, the next one, then two."""
    dates = ["2018-01-08", "2018-01-20", "2018-03-02"][: min(rank, 3)]
    return [
        {"quantile": q, "date": day}
        for q, day in zip((0.25, 0.5, 0.75), [*dates, *[None] * (3 - len(dates))], strict=True)
    ]


def reasons(days):
    """Return three reasons such as a run gives."""
    said = [
        ("rhythm", "recency_days", float(days), "raises", 0.83,
         f"No order for {days} days; usually every 12", f"已有 {days} 天没有下单；通常每 12 天一次"),
        ("spend", "spend_90d", 84.5, "raises", 0.31,
         "Spent $84.50 in the last 90 days, 41% less than before", "近 90 天消费 84.50 美元，比此前少 41%"),
        ("engagement", "redemptions_90d", 2.0, "lowers", -0.22,
         "Used 2 coupons in the last 90 days", "近 90 天使用了 2 张优惠券"),
    ]  # fmt: skip
    names = ("group", "feature", "value", "direction", "weight")
    return [dict(zip(names, one[:5], strict=True)) | {"sentence": {"en": one[5], "zh": one[6]}} for one in said]


def converting(customer_id, chance, rung="prospect"):
    """Return the record of one of whom it is told how likely they are to become a customer."""
    said = {"en": "Last trial 3 days ago", "zh": "上次试用在 3 天前"}
    reason = {"group": "trial", "feature": "days_since_trial", "value": 3.0, "direction": "raises", "weight": 0.7}
    told = {"conversion_probability": chance, "conversion_low": chance / 2, "conversion_high": min(2 * chance, 1.0)}
    return record(customer_id, 80, rung, **told, conversion_rung="logistic", reasons=[reason | {"sentence": said}])


def prospects():
    """Return the prospects and trials of the run, not in the order of their list."""
    hostile = [converting(one, 0.05 + place / 100, "trial") for place, one in enumerate(("=1+1", "<b>lead</b>"))]
    return [converting("lead-2", 0.31), converting("lead-1", 0.62, "trial"), *hostile]


def bodies():
    """Return every record of the run: hostile ids first, so that they stand on the list's first page."""
    named = [record(one, rank) for rank, one in enumerate(HOSTILE)]
    plain = [record(f"{1000 + rank * 37}", rank) for rank in range(len(HOSTILE), 64)]
    ties = [record(f"tie-{one}", 70, value_at_risk=9.5) for one in "cab"]
    outside = [record("never", 80, "prospect"), record("left", 81, "gone")]
    return [*named, *plain, *ties, *prospects(), *outside]


def fill(workspace, records, verb="assign", now=2, **extra):
    """Write one finished run into the workspace and return its id."""
    engine = open_engine(workspace.database)
    catalogue = Catalogue(engine)
    run_id = catalogue.start(verb, "inputs", 1)
    Records(engine).write(run_id, [body | {"run_id": run_id} for body in records])
    catalogue.finish(run_id, now, summary(records) | extra, bundle=MODEL)
    engine.dispose()
    return run_id


def summary(records):
    """Return what a run says of itself."""
    scored = [one for one in records if one["rung"] == "blend"]
    bands = [one["risk_band"] for one in scored]
    return {
        "cutoff": CUTOFF,
        "horizon_days": 60,
        "customers": len(records),
        "population": len(scored),
        "bands": {band: bands.count(band) for band in ("high", "medium", "low")},
        "value_at_risk": sum(one["value_at_risk"] for one in scored),
        "currency": "USD",
        "prospects": 5,
        "expected_conversions": 1.04,
        "budget": 2000.0,
        "reserved": 1490.0,
        "treated": 44,
        "control": 8,
        "expected_net_value": 1800.0,
    }


def ask(workspace, *scopes, settings=None, configs=Path("configs")):
    """Return a client of the workspace's service, with a key of these scopes; of all where none is named."""
    return visit(workspace, headers=bearing(workspace, *scopes), settings=settings, configs=configs)


def visit(workspace, *, headers=None, settings=None, base_url="http://localhost", configs=Path("configs")):
    """Return a client of the workspace's service that has no key."""
    app = create_app(workspace, settings, configs=configs)
    return TestClient(app, base_url=base_url, raise_server_exceptions=False, headers=headers)


def scripts_in(page):
    """Return the script elements of a page that are not our own file."""
    ours = r'<script src="/static/churnml\.js\?v=[0-9a-f]{12}" defer></script>'
    return re.findall(r"<script[^>]*>", re.sub(ours, "", page, count=1))


def walk(client, **query):
    """Return every record of the list at risk, page after page."""
    seen, cursor = [], None
    while True:
        page = client.get("/v1/at-risk", params=query | ({"cursor": cursor} if cursor else {})).json()
        seen += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            return seen


@contextmanager
def logging_to(stream):
    """Have what is logged as JSON go to a stream, in place of what the tests log."""
    loggers = [logging.getLogger(one) for one in (None, REQUESTS, "uvicorn", "uvicorn.error")]
    before = [(one, one.handlers[:], one.level, one.propagate) for one in loggers]
    configure("json", stream)
    try:
        yield
        flush()
    finally:
        for logger, handlers, level, propagate in before:
            logger.handlers[:], logger.propagate = handlers, propagate
            logger.setLevel(level)
