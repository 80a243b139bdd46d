"""Who becomes a customer, in a world whose truth is known: honest probabilities, near what who knows all could say."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from benchmarks.conversion_blend import blends

from churnml.config import TrainConfig
from churnml.errors import NotEnoughDataError
from churnml.events.clock import DAY
from churnml.features import FeatureTable, catalogue
from churnml.labels import origins
from churnml.modeling.bounds import bounds, conversion_bounds
from churnml.modeling.bundle import load_bundle, save_bundle
from churnml.modeling.conversion import CONVERSION_RUNGS, fit_conversion, reached
from churnml.modeling.conversion_baselines import CONVERSION_BASELINES, baselines_of
from churnml.modeling.conversion_standing import Tries, judge_origins, stand, try_conversion
from churnml.modeling.gates import refusals
from churnml.modeling.hazard import EDGES, fit_hazard
from churnml.modeling.metrics import auroc
from churnml.modeling.prospects import AGE
from churnml.modeling.snapshots import snapshots
from churnml.modeling.train import Trained
from churnml.scoring.conversion import convert
from churnml.scoring.reasons import conversion_contributions
from leads import BEGINS, DAYS, Leads
from small import Tiny

HORIZON = 30
CONFIG = TrainConfig(
    horizon_days=HORIZON, step_days=15, max_cutoffs=14, folds=2, rounds=100, min_history_days=60, bounds_rows=1_000
)
NOW = BEGINS + (DAYS - HORIZON) * DAY
CUTOFFS = [NOW - (HORIZON + 15 * back) * DAY for back in range(14)][::-1]
ROLLING = origins(CUTOFFS, HORIZON, 2, "UTC")


def landed(folder, leads):
    """Return a workspace in which the leads have landed."""
    tiny = Tiny.make(folder)
    for name, file in leads.write(tiny.folder).items():
        tiny.ingest(name, file)
    return tiny


def stacked(tiny, cutoffs=CUTOFFS, now=NOW, config=CONFIG):
    """Return the snapshots of a workspace; the rung of churn is the lowest, which is not looked at here."""
    return snapshots(tiny.store, catalogue(tiny.store.tables), cutoffs, now, config, 0.3, rung="recency")


@pytest.fixture(scope="module")
def leads():
    return Leads.draw()


@pytest.fixture(scope="module")
def shop(leads, tmp_path_factory):
    made = landed(tmp_path_factory.mktemp("leads"), leads)
    yield made
    made.catalogue.engine.dispose()


@pytest.fixture(scope="module")
def stack(shop):
    return stacked(shop)


@pytest.fixture(scope="module")
def prospects(stack):
    return stack.prospects


@pytest.fixture(scope="module")
def fitted(prospects):
    return {rung: fit_conversion(prospects, rung, CONFIG, ROLLING) for rung in CONVERSION_RUNGS}


@pytest.fixture(scope="module")
def truth(leads, prospects):
    """Return the probability of each prospect, of whoever knows their interest."""
    known = dict(zip(leads.ids, leads.truth(DAYS - HORIZON, HORIZON), strict=True))
    return np.array([known[who] for who in prospects.at_now.customer_ids])


@pytest.fixture(scope="module")
def came(leads, prospects):
    known = dict(zip(leads.ids, leads.converts >= DAYS - HORIZON, strict=True))
    return np.array([known[who] for who in prospects.at_now.customer_ids])


def calibration_error(truth, told):
    """Return how far the mean of what was told is from the mean truth, over tenths of what was told."""
    tenths = np.array_split(np.argsort(told), 10)
    return np.mean([abs(truth[rows].mean() - told[rows].mean()) for rows in tenths])


@pytest.mark.parametrize("rung", CONVERSION_RUNGS)
def test_what_is_told_is_calibrated_against_the_truth(fitted, prospects, truth, rung):
    told = fitted[rung].forecast(prospects.at_now).probability
    assert calibration_error(truth, told) < 0.015
    assert told.mean() == pytest.approx(truth.mean(), rel=0.25)


def test_the_blend_tells_prospects_apart_nearly_as_well_as_whoever_knows_their_interest(fitted, prospects, truth, came):
    told = fitted["blend"].forecast(prospects.at_now).probability
    assert np.corrcoef(np.argsort(np.argsort(told)), np.argsort(np.argsort(truth)))[0, 1] > 0.7
    assert auroc(came, told) > auroc(came, truth) - 0.06


def test_the_blend_is_nearer_the_truth_than_any_baseline_of_one_column(fitted, prospects, truth):
    def error(told):
        return np.sqrt(np.mean((told - truth) ** 2))

    ours = error(fitted["blend"].forecast(prospects.at_now).probability)
    baselines = baselines_of(prospects, prospects.at_now)
    assert set(baselines) == set(CONVERSION_BASELINES)
    assert ours < 0.8 * min(error(told) for name, told in baselines.items() if name != "logistic on a handful")
    assert ours < 1.1 * error(baselines["logistic on a handful"])


def test_the_labels_are_those_of_the_world(leads, prospects):
    first = dict(zip(leads.ids, leads.converts, strict=True))
    day = (prospects.table.cutoffs - BEGINS) // DAY
    days = np.array([first[who] for who in prospects.table.customer_ids])
    assert prospects.converted.tolist() == ((days >= day) & (days < day + HORIZON)).tolist()
    assert ((days < 0) | (days >= day)).all()


def beyond(shop, folder):
    """Land the same past with another future: those who came later go, everyone orders, acts and tries, others come."""
    tiny = Tiny.make(folder)
    for name in ("customers", "orders", "interactions"):
        table = pq.read_table(shop.folder / f"{name}.parquet").to_pandas()
        past = table[table["occurred_at"] < pd.Timestamp(NOW, unit="us")]
        future = (
            past.groupby("customer_id").first().reset_index().assign(occurred_at=pd.Timestamp(NOW + DAY, unit="us"))
        )
        new = {"customers": "customer_id", "orders": "order_id", "interactions": "kind"}[name]
        future[new] = [f"new-{row}" for row in range(len(future))] if name != "interactions" else "trial"
        file = tiny.folder / f"{name}.parquet"
        pd.concat([past, future]).to_parquet(file, index=False)
        tiny.ingest(name, file)
    return tiny


def rows_of(table):
    """Return the bytes of every feature."""
    return [table.column(name).tobytes() for name in table.names]


def test_nothing_that_comes_after_the_cutoff_changes_what_is_told_of_it(shop, prospects, fitted, tmp_path):
    tiny = beyond(shop, tmp_path)
    again = stacked(tiny).prospects
    tiny.catalogue.engine.dispose()
    assert again.hazard == prospects.hazard
    assert rows_of(again.at_now) == rows_of(prospects.at_now)
    assert again.age_logit.tolist() == prospects.age_logit.tolist()
    assert again.converted.tolist() == prospects.converted.tolist()
    told = fit_conversion(again, "blend", CONFIG, ROLLING).forecast(again.at_now).probability
    assert told.tolist() == fitted["blend"].forecast(prospects.at_now).probability.tolist()


def test_a_label_that_is_not_final_yet_teaches_nothing(shop, prospects):
    earlier = stacked(shop, CUTOFFS[:-2], CUTOFFS[-1]).prospects
    rows = prospects.table.cutoffs <= CUTOFFS[-3]
    assert earlier.converted.tolist() == prospects.converted[rows].tolist()
    assert earlier.table.cutoffs.max() + HORIZON * DAY <= CUTOFFS[-1]


def test_the_hazard_is_the_share_of_each_age_that_converts(leads, prospects):
    """Read off all leads, prospects no more and prospects still, against a count by hand."""
    cut, met, first = DAYS - HORIZON, leads.met, leads.converts
    known, done = (met < cut) & (met >= first[first >= 0].min()), (first >= 0) & (first < cut)
    last = np.where(done, first, cut - 1) - met
    place = EDGES.index(14)
    there = np.clip(np.minimum(last + 1, EDGES[place + 1]) - EDGES[place], 0, None)[known].sum()
    came = (known & done & (last >= EDGES[place]) & (last < EDGES[place + 1])).sum()
    assert prospects.hazard.rates[place] == pytest.approx(came / there, rel=0.1)
    assert prospects.hazard.conversions == (known & done & (last > 0)).sum()


def test_a_longer_horizon_is_never_less_likely_and_a_day_is_its_share(prospects):
    ages = np.array([0.0, 3.0, 100.0, 5_000.0, np.nan])
    told = [prospects.hazard.probability(ages, days) for days in (1, 7, 30, 365)]
    assert (np.diff(told, axis=0) > 0).all()
    assert told[0][1] == pytest.approx(prospects.hazard.rates[2])


@pytest.mark.parametrize("days", [7, 30])
def test_the_interval_by_age_holds_the_truth_where_age_is_all_there_is(days):
    """Few leads without an interest, again and again: nine of ten intervals are to hold the true probability."""
    held = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        rate, age = 0.01, rng.uniform(1, 200, 80).round()
        day = np.floor(rng.exponential(1 / rate, 80)) + 1
        hazard = fit_hazard(base_of(age, np.where(day < age, age - day, np.nan)), seed)
        low, high = hazard.between(np.array([20.0, 60.0]), days)
        truth = 1 - np.exp(-rate * days)
        held += ((low <= truth) & (truth <= high)).tolist()
    assert np.mean(held) > 0.82


def test_who_was_known_before_orders_were_kept_teaches_no_rate():
    """They seem to convert long after the day they became known, and not to have done so before."""
    rng = np.random.default_rng(0)
    age = rng.uniform(1, 200, 2_000).round()
    day = np.floor(rng.exponential(50, 2_000)) + 1
    since = np.where(day < age, age - day, np.nan)
    older, recently = np.full(1_000, 900.0), rng.uniform(0, 190, 1_000).round()
    both = base_of(np.concatenate([age, older]), np.concatenate([since, recently]))
    assert fit_hazard(both, 0) == fit_hazard(base_of(age, since), 0)


def test_where_everyone_was_known_before_the_first_order_their_days_since_then_teach():
    rng = np.random.default_rng(0)
    waited = rng.exponential(50, 2_000)
    hazard = fit_hazard(base_of(np.full(2_000, 130.0), np.where(waited < 100, np.floor(100 - waited), np.nan)), 0)
    assert hazard.probability(np.array([40.0]), 30)[0] == pytest.approx(1 - np.exp(-30 / 50), abs=0.05)


def base_of(known, since):
    """Return a base of which only the age is known, and since when they are customers."""
    n = len(known)
    names, values = (AGE, "tenure_days"), np.column_stack([known, since])
    nothing = np.zeros(n, dtype=np.int64)
    return FeatureTable(np.arange(n).astype(str).astype(object), nothing, nothing.astype(np.int8), names, values, {})


@pytest.mark.parametrize("rung", ["logistic", "rate"])
def test_below_the_blend_each_probability_lies_within_its_interval(fitted, prospects, rung):
    told = fitted[rung].forecast(prospects.at_now)
    assert ((told.low <= told.probability) & (told.probability <= told.high)).all()
    assert (told.high > told.low).all()


def test_the_blend_tells_no_interval(fitted, prospects):
    assert fitted["blend"].forecast(prospects.at_now).low is None


def some(prospects, rows):
    return replace(
        prospects,
        table=prospects.table.take(rows),
        converted=prospects.converted[rows],
        age_logit=prospects.age_logit[rows],
    )


def test_the_rung_follows_how_many_different_people_became_customers(prospects):
    assert reached(prospects) == ("blend", "")
    order = np.argsort(~prospects.converted, kind="stable")
    came = int(prospects.converted.sum())
    few = np.sort(np.concatenate([order[:100], order[came : came + 500]]))
    rung, why = reached(some(prospects, few))
    assert rung == "logistic"
    assert "who became customers" in why
    hardly = np.sort(np.concatenate([order[:20], order[came : came + 500]]))
    assert reached(some(prospects, hardly))[0] == "rate"


def test_without_anyone_who_became_a_customer_there_is_no_model_and_a_reason(prospects):
    rung, why = reached(replace(prospects, hazard=None))
    assert (rung, why) == (
        None, "nobody was known before the day they became a customer, so there is nothing to tell by",
    )  # fmt: skip
    with pytest.raises(NotEnoughDataError, match="no conversion can be learned"):
        fit_conversion(replace(prospects, hazard=None), "rate", CONFIG, [])


def test_without_prospects_there_is_no_model_and_a_reason(prospects):
    nobody = some(
        replace(prospects, at_now=prospects.at_now.take(np.zeros(len(prospects.at_now), bool))), np.zeros(0, int)
    )
    assert reached(nobody) == (None, "nobody is known who has not paid for something")


@pytest.fixture(scope="module")
def tried(shop, stack):
    """Return what a test at an earlier cutoff found, as training does it."""
    test = CUTOFFS[-1]
    earlier = [one for one in CUTOFFS if one + HORIZON * DAY <= test]
    found = stacked(shop, earlier, test).prospects
    return try_conversion(found, earlier, test, shop.store, CONFIG, bootstrap=50)[0]


@pytest.fixture(scope="module")
def at_origin(stack, trained):
    """Return what is to be deployed, beside a churn model that is not looked at."""
    return Trained(trained.model, stack, trained.churn_fit, tuple(CUTOFFS), NOW)


def test_it_is_judged_out_of_time_beside_its_baselines_with_intervals(tried):
    found = tried[0].judged.contests["conversion"]
    assert [method.name for method in found.methods] == ["churnml", *CONVERSION_BASELINES]
    assert set(found.ours.figures) == {"auroc", "auprc", "brier", "log_loss", "ece"}
    assert all(one.low <= one.value <= one.high for name, one in found.ours.figures.items() if name != "ece")
    assert found.ours.figures["auroc"].low > 0.6


def test_what_passes_its_gates_is_deployed_on_its_rung(shop, at_origin, tried):
    found = stand(at_origin, Tries(lambda _: None, tried), shop.store, CONFIG)
    assert (found.rung, found.because) == ("blend", "")
    assert [gate.name for gate in found.gates] == ["baselines", "calibration", "suspects", "bounds"]
    json.dumps(found.to_json(), allow_nan=False)


def test_a_blend_that_was_not_judged_gives_way_to_the_rung_with_intervals(shop, at_origin):
    found = stand(at_origin, Tries(lambda _: None), shop.store, CONFIG, "history is short")
    assert (found.rung, found.model.rung) == ("logistic", "logistic")
    assert found.because == "a blend must be judged out of time, and it cannot be: history is short"


def test_where_every_rung_was_refused_nothing_is_deployed_and_the_reason_is_told(shop, at_origin, tried):
    failing = replace(tried[0], gates=(replace(tried[0].gates[0], passed=False, found="the base rate is better"),))
    found = stand(at_origin, Tries(lambda _: None, (failing,)), shop.store, CONFIG)
    assert found.model is None
    assert found.because.startswith("it was refused: the base rate is better (the rule: no baseline of conversion")
    assert found.no_model.gates == ("baselines",)
    assert refusals(found.gates)


def test_a_feature_that_knows_the_future_is_refused(shop, at_origin, tried, prospects):
    columns = [
        prospects.converted if name == "demos_all" else prospects.table.column(name) for name in prospects.table.names
    ]
    table = replace(prospects.table, values=np.column_stack(columns))
    stack = replace(at_origin.snapshots, prospects=replace(prospects, table=table))
    found = stand(replace(at_origin, snapshots=stack), Tries(lambda _: None, tried), shop.store, CONFIG)
    assert found.model is None
    assert "`demos_all` does" in found.because


def test_the_benchmark_of_blends_asks_the_blend_that_is_deployed(prospects, fitted):
    (_, told, _), *others = blends(prospects, CONFIG, ROLLING)
    np.testing.assert_allclose(told, fitted["blend"].forecast(prospects.at_now).probability, rtol=0, atol=1e-9)
    assert [name.partition(",")[0] for name, _, _ in others] == [
        "blend with the handful", "blend", "blend with the handful",
    ]  # fmt: skip


def test_rolling_origins_lie_a_horizon_apart_until_history_ends(shop):
    quick = CONFIG.model_copy(update={"rounds": 10, "max_cutoffs": 4, "folds": 1})
    found, why = judge_origins(shop.store, catalogue(shop.store.tables), NOW, quick, 3, bootstrap=50)
    days = [np.datetime64(one.judged.cutoff) for one in found]
    assert (np.diff(days).astype(int) == -HORIZON).all()
    assert (len(found), why) == (3, "")


@pytest.mark.parametrize("rung", CONVERSION_RUNGS)
def test_a_bundle_holds_it_and_gives_it_back_bit_for_bit(trained, fitted, prospects, tmp_path, rung):
    model = replace(trained.model, conversion=fitted[rung])
    version = save_bundle(model, {}, tmp_path)
    again = load_bundle(tmp_path / version)[0].conversion
    before, after = (one.forecast(prospects.at_now) for one in (fitted[rung], again))
    assert after.probability.tolist() == before.probability.tolist()
    assert (after.low is None) == (before.low is None)
    assert after.low is None or after.low.tolist() == before.low.tolist()
    assert save_bundle(replace(model, conversion=again), {}, tmp_path) == version


@pytest.mark.parametrize("rung", CONVERSION_RUNGS)
def test_whatever_the_row_the_probability_is_one(fitted, rung):
    assert conversion_bounds(fitted[rung], 2_000) == ()


def test_the_bounds_of_a_model_cover_its_conversion(trained, fitted):
    wrong = replace(fitted["rate"], hazard=replace(fitted["rate"].hazard, rates=(float("nan"),) * len(EDGES)))
    with np.errstate(invalid="ignore"):
        found = bounds(replace(trained.model, conversion=wrong), 1_000)
    assert found.broken[0] == "`conversion_probability` lies between 0 and 1, found nan"


@pytest.mark.parametrize("rung", CONVERSION_RUNGS)
def test_the_reasons_are_exact_parts_of_the_logit(fitted, prospects, rung):
    told = fitted[rung].forecast(prospects.at_now)
    parts = conversion_contributions(fitted[rung], told)
    logit = np.log(told.probability / (1 - told.probability))
    np.testing.assert_allclose(parts.base + parts.by_column.sum(axis=1), logit, rtol=0, atol=1e-9)


@pytest.mark.parametrize("rung", CONVERSION_RUNGS)
def test_every_prospect_is_told_reasons_in_both_languages(shop, fitted, prospects, rung):
    said = convert(prospects.at_now, fitted[rung], catalogue(shop.store.tables), "USD", 3)
    assert all(told for told in said.told)
    sentences = [reason.sentence for told in said.told for reason in told]
    assert all(set(one) == {"en", "zh"} and "{" not in str(list(one.values())) for one in sentences)


def test_a_trial_stands_among_the_reasons_of_who_tried(shop, fitted, prospects):
    said = convert(prospects.at_now, fitted["blend"], catalogue(shop.store.tables), "USD", 5)
    fresh = np.flatnonzero(prospects.at_now.column("days_since_trial") < 7)
    assert len(fresh)
    for row in fresh:
        assert [one.direction for one in said.told[row] if one.group == "trial"] == ["raises"]


def test_without_a_model_nothing_is_said(shop, prospects):
    assert convert(prospects.at_now, None, catalogue(shop.store.tables), "USD", 3) is None
