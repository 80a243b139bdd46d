"""What was run, which models there are, what campaigns hold and what actions did, as the API tells it."""

import pytest
from sample_run import ask

from churnml.database import Catalogue, Ledger, Reservation, millionths, open_engine
from churnml.service.api.campaigns import Campaigns, Effects
from churnml.service.api.models import Models, ModelWhole
from churnml.service.api.runs import RunList, RunWhole
from new_database import new_workspace

A, B = "ab" * 32, "ac" * 32
GATE = {"name": "auc", "asked": True, "passed": False, "rule": "AUC of at least .6", "found": ".55"}
EFFECT = {
    "of": "effect", "as_of": "2018-03-01", "time_zone": "UTC", "currency": "USD", "by": None, "effect_horizon_days": 60,
    "label_lag_days": 14, "churn_by": "orders", "cases": {"closed": 2, "still_open": 0, "customers_unknown": 0},
    "plans": {}, "planned_ends": {"spring": None}, "ended": False, "actions": {"call": {"overall": None}},
    "proposed_for_stopping": [], "remarks": [], "outcome": "orders", "planned": {"call": 2},
}  # fmt: skip


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    """A client of a service on whose workspace something has happened."""
    workspace = new_workspace(tmp_path_factory.mktemp("watched"))
    engine = open_engine(workspace.database)
    catalogue = Catalogue(engine)
    trained = {"cutoff": "2018-01-01T00:00:00+00:00", "horizon_days": 60, "churn_by": "orders", "rung": "blend"}
    for when, (bundle, refused) in enumerate([(A, []), (B, ["AUC"]), (A, [])], start=1):
        run_id = catalogue.start("train", "inputs", when)
        told = trained | {"gates": [GATE], "not_promoted_because": refused, "card": f"# Model {bundle[:4]}"}
        catalogue.finish(run_id, when, told, bundle=bundle)
    catalogue.move_alias("champion", A, 5, "passed every gate")
    for campaign in ("spring", None):
        catalogue.finish(catalogue.start("measure", "inputs", 6), 7, EFFECT | {"campaign": campaign})
    run_id = catalogue.start("assign", "inputs", 8)
    ledger = Ledger(engine)
    ledger.open("spring", millionths(10.0), 9)
    wanted = [
        Reservation(who, "call", arm, 0.5, "choice", "phone", millionths(2.0), 99)
        for who, arm in (("a", "treated"), ("b", "control"), ("c", "treated"))
    ]
    ledger.reserve("spring", run_id, 8, wanted, 9)
    catalogue.finish(catalogue.start("kpis", "inputs", 8), 9, {}, ok=False)
    engine.dispose()
    with ask(workspace) as client:
        yield client


def test_runs_are_listed_the_latest_first_each_once(asked):
    seen, cursor = [], None
    while cursor is not None or not seen:
        page = RunList.model_validate(asked.get("/v1/runs?limit=2" + (f"&cursor={cursor}" if cursor else "")).json())
        seen += page.items
        cursor = page.next_cursor
    assert [one.started_at for one in seen] == sorted((one.started_at for one in seen), reverse=True)
    assert (len(seen), len({one.run_id for one in seen})) == (7, 7)


@pytest.mark.parametrize("query, count", [("verb=train", 3), ("verb=train&verb=kpis", 4), ("state=running", 1)])
def test_runs_are_kept_by_verb_and_state(asked, query, count):
    assert len(asked.get(f"/v1/runs?{query}").json()["items"]) == count


def test_a_cursor_of_other_runs_is_refused(asked):
    cursor = asked.get("/v1/runs?limit=1").json()["next_cursor"]
    told = asked.get(f"/v1/runs?verb=train&cursor={cursor}")
    assert (told.status_code, told.json()["code"]) == (400, "usage")


def test_a_run_says_what_its_verb_said(asked):
    first = asked.get("/v1/runs?verb=measure").json()["items"][0]
    told = RunWhole.model_validate(asked.get(f"/v1/runs/{first['run_id']}").json())
    assert (told.verb, told.summary["of"]) == ("measure", "effect")


@pytest.mark.parametrize(
    "address, status", [("runs/abc", 404), ("runs/x!", 422), ("models/abcd", 404), ("models/a", 422)]
)
def test_what_there_is_not_is_said(asked, address, status):
    assert asked.get(f"/v1/{address}").status_code == status


def test_a_model_is_told_once_with_its_gates_and_what_points_at_it(asked):
    told = Models.model_validate(asked.get("/v1/models").json())
    assert [(one.model_version, one.aliases, one.refused_because) for one in told.items] == [
        (A, ["champion"], []),
        (B, [], ["AUC"]),
    ]
    assert [(one.alias, one.model_version, one.why) for one in told.moves] == [("champion", A, "passed every gate")]


def test_a_model_is_found_by_the_first_characters_of_its_version_and_has_its_card(asked):
    told = ModelWhole.model_validate(asked.get(f"/v1/models/{B[:6]}").json())
    assert (told.model_version, told.card, told.gates[0]["found"]) == (B, "# Model acac", ".55")


def test_a_campaign_tells_its_money_and_who_is_in_it(asked):
    (told,) = Campaigns.model_validate(asked.get("/v1/campaigns").json()).items
    assert (told.budget, told.reserved, told.spent, told.left) == (10.0, 4.0, 0.0, 6.0)
    assert (told.arms, told.states) == ({"treated": 2, "control": 1}, {"open": 2, "withheld": 1})


@pytest.mark.parametrize("query, campaign", [("", None), ("?campaign=spring", "spring")])
def test_effects_are_those_measured_last_of_what_is_asked_for(asked, query, campaign):
    assert Effects.model_validate(asked.get(f"/v1/effects{query}").json()).campaign == campaign


def test_a_campaign_that_was_not_measured_is_told_with_those_that_were(asked):
    told = asked.get("/v1/effects?campaign=autumn")
    assert (told.status_code, told.json()["detail"]) == (
        404,
        "no effect of campaign `autumn` was measured; measured were: spring, all together",
    )


@pytest.mark.parametrize("address, status", [("effects", 503), ("campaigns", 200), ("models", 200), ("runs", 200)])
def test_before_anything_was_done_there_is_nothing_and_no_error(newcomer, address, status):
    assert newcomer.get(f"/v1/{address}").status_code == status


@pytest.mark.parametrize("address", ["effects", "campaigns", "models", "runs"])
def test_what_a_caller_holds_is_not_sent_again(asked, address):
    tag = asked.get(f"/v1/{address}").headers["etag"]
    assert asked.get(f"/v1/{address}", headers={"if-none-match": tag}).status_code == 304
