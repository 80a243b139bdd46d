"""A campaign that was chosen, carried out in part and measured, and a plan of the next, as the verbs write them."""

from sample_run import CUTOFF

from churnml.database import Catalogue, Ledger, Outcome, Reservation, assignment_id, millionths, open_engine

DAY = 86_400_000_000
OPENED = 1_514_764_800_000_000
CALL = {"en": "Personal call", "zh": "客服电话回访"}
WHOLE = {"en": "Everything a campaign did, against the hold-out", "zh": "活动的全部行动（与长期留出组相比）"}
ACTION = {
    "name": "call", "label": CALL, "channel": "phone", "open_to": 40, "closed_by": {}, "treated": 3, "control": 1,
    "expected_cost": 6.0, "reserved": 12.0, "expected_net_value": 55.0, "capacity": 8, "place_price": 0.5,
}  # fmt: skip


def chosen(campaign="spring", **changes):
    """Return the summary of the run that chose in a campaign."""
    return {
        "cutoff": CUTOFF, "time_zone": "UTC", "currency": "USD", "population": 40, "campaign": campaign,
        "budget": 50.0, "treated": 3, "control": 1, "held_out": 2, "holdout_share": 0.05, "control_share": 0.1,
        "explored": 1, "expected_cost": 6.0, "expected_net_value": 55.0, "effect_source": "prior", "shadow_price": 1.32,
        "effect_horizon_days": 60, "assigned": 4, "report": {"actions": [ACTION]},
    } | changes  # fmt: skip


def estimate(value, half):
    """Return an estimate with both its intervals."""
    wide = [value - 2 * half, value + 2 * half]
    return {
        "value": value,
        "error": half / 2,
        "cases": 120,
        "fixed": [value - half, value + half],
        "always_valid": wide,
    }


def told(verdict, net, low, high, returned=1.5):
    """Return what was measured of an action, per customer treated; 60 of them were."""
    effect = {
        "treated": 60, "controls": 60, "verdict": verdict, "low": low, "high": high, "p": 0.2,
        "interval": "always_valid", "wait": None, "churn": estimate(-0.1, 0.05), "churn_without": 0.4,
        "churn_avoided": 6.0, **{one: estimate(net, 2.0) for one in ("difference", "cuped", "doubly_robust", "margin")},
    }  # fmt: skip
    effect["money"] = {
        "margin_per_case": net + 2, "cost_per_case": 2.0, "net_per_case": net, "margin": 60 * net + 120, "cost": 120.0,
        "net": 60 * net, "net_low": 60 * low, "net_high": 60 * high, "return_on_cost": returned,
    }  # fmt: skip
    return effect


def action(label, overall, said):
    """Return an action of a measurement."""
    ratio = {"treated": 60, "controls": 60, "expected": 60.0, "p": 1.0, "holds": True}
    return {
        "label": label, "evidence": "randomised", "said": {"en": said, "zh": said}, "sample_ratio": ratio,
        "overall": overall, "segments": {}, "looks": [], "measured": None, "naive": None, "funnel": None, "breaches": 0,
    }  # fmt: skip


def measured(campaign="spring", **changes):
    """Return a measurement of a campaign: one action helps, one is open, one has too few customers."""
    return {
        "of": "effect", "as_of": "2018-03-20", "time_zone": "UTC", "currency": "USD", "campaign": campaign, "by": None,
        "effect_horizon_days": 60, "label_lag_days": 14, "churn_by": "orders", "outcome": "orders", "ended": False,
        "cases": {"closed": 120, "still_open": 3, "customers_unknown": 0}, "plans": {}, "planned": {},
        "planned_ends": {campaign: "2018-06-30"}, "proposed_for_stopping": [], "remarks": [],
        "actions": {
            "call": action(CALL, told("helps", 6.0, 2.0, 10.0), "Personal call helps."),
            "mail": action({"en": "Letter", "zh": "信件"}, told("too_few", 1.0, -9.0, 9.0), "Letter: too few."),
            "all_actions": action(WHOLE, told("not_yet", 4.0, -1.0, 9.0), "Not yet conclusive."),
        },
    } | changes  # fmt: skip


def point(budget, treated, net):
    """Return what a plan says of a budget."""
    ours = {"treated": treated, "control": treated // 10, "reserved": budget * 0.9, "expected_net_value": float(net)}
    return {
        "budget": float(budget), "reserved": budget * 0.9, "expected_cost": budget / 3,
        "expected_net_value": float(net), "cautious_net_value": net * 0.8, "treated": treated,
        "shadow_price": 1.32 if budget < 80 else 0.0, "control": treated // 10, "explored": 1,
        "actions": {"call": ours},
    }  # fmt: skip


SAYS = {
    "en": "Churn down by 2.0 points: never conclusive at this size.",
    "zh": "流失率下降 2.0 个百分点：永远得不出结论。",
}


def plan(**changes):
    """Return a plan of the campaign `summer` for a budget of 40, as a dry run keeps it."""
    tests = {"budget": 40.0, "actions": [
        {"action": "call", "label": CALL, "plans": [{"conclusive": False, "says": SAYS}], "advice": None},
    ]}  # fmt: skip
    return chosen(
        "summer", budget=40.0, taken=0.0, points=[point(0, 0, 0), point(40, 20, 60), point(80, 30, 80)], tests=tests,
        returns={"points": [], "enough": 75.0, "most": 90.0}, dry_run=True,
    ) | changes  # fmt: skip


def keep(workspace, *runs):
    """Keep runs as finished in their order, each a verb and its summary; return their ids."""
    engine = open_engine(workspace.database)
    catalogue = Catalogue(engine)
    done = []
    for when, (verb, summary) in enumerate(runs, start=1):
        done.append(catalogue.start(verb, "inputs", OPENED + when))
        catalogue.finish(done[-1], OPENED + when, summary)
    engine.dispose()
    return done


def assign(workspace, campaign="spring"):
    """Assign four customers in a campaign; one of them was called, which cost 1.5."""
    (run_id,) = keep(workspace, ("assign", chosen(campaign)))
    engine = open_engine(workspace.database)
    ledger = Ledger(engine)
    ledger.open(campaign, millionths(50.0), OPENED)
    wanted = [
        Reservation(f"c{n}", "call", arm, 0.9, "choice", "phone", millionths(4.0), OPENED + 99 * DAY)
        for n, arm in enumerate(("treated", "treated", "treated", "control"))
    ]
    ledger.reserve(campaign, run_id, OPENED, wanted, OPENED)
    ledger.post([Outcome(assignment_id(campaign, "c0"), OPENED + 1, "carried_out", millionths(1.5))], OPENED + 2)
    engine.dispose()
