"""A model of a ready feature table: leaks are named before training, and it is judged on rows that did not teach."""

import json

import numpy as np
import pytest

from churnml.config import TrainConfig
from churnml.errors import ModelRefusedError, NotEnoughDataError, UsageError
from churnml.events.clock import DAY
from churnml.events.feature_columns import Column
from churnml.events.feature_table import UNDATED, ReadyTable
from churnml.modeling.bundle import load_bundle
from churnml.modeling.judge_tabular import folds, judge_and_fit
from churnml.modeling.suspects import suspects, twin_share, twins
from churnml.modeling.tabular import fit_tabular
from churnml.modeling.tabular_bundle import _smoke, load_tabular, save_tabular

N = 400
QUICK = TrainConfig(rounds=10, bootstrap=50)


def made(churned, categories=(), dates=(), cutoffs=None, ids=None, **columns):
    """Return a table of the given columns; those named as categories or dates are such."""
    kinds = {name: "category" if name in categories else "date" if name in dates else "number" for name in columns}
    values = [np.asarray(columns[name], dtype=float) for name in columns if kinds[name] != "category"]
    texts = {name: np.array(columns[name], dtype=object) for name in categories}
    who = np.array([f"c{n}" for n in range(len(churned))] if ids is None else ids, dtype=object)
    when = np.full(len(churned), UNDATED) if cutoffs is None else np.asarray(cutoffs)
    described = tuple(Column(name, kind) for name, kind in kinds.items())
    return ReadyTable(
        who,
        when,
        np.asarray(churned, dtype=bool),
        described,
        np.column_stack([np.zeros((len(churned), 0)), *values]),
        texts,
    )


@pytest.fixture(scope="module")
def dice():
    return np.random.default_rng(5)


@pytest.fixture(scope="module")
def honest(dice):
    """Return a snapshot in which silence and the plan tell something of churn."""
    silence, noise = dice.exponential(30, N), dice.normal(size=N)
    plan = dice.choice(["free", "gold", "odd"], N, p=[0.6, 0.395, 0.005])
    churned = dice.random(N) < 1 / (1 + np.exp(1.5 - silence / 25 - (plan == "free")))
    spend = np.where(dice.random(N) < 0.1, np.nan, dice.gamma(2, 50, N))
    return made(churned, ["plan"], silence=silence, noise=noise, spend=spend, plan=plan)


@pytest.fixture(scope="module")
def model(honest):
    return fit_tabular(honest, (0.2, 0.4), rounds=10, seed=0)


@pytest.fixture(scope="module")
def judged(honest):
    return judge_and_fit(honest, QUICK, "UTC", None)


@pytest.fixture(scope="module")
def panel(honest):
    """Return four cutoffs of a hundred customers."""
    cutoffs = np.repeat(np.arange(4), N // 4) * 30 * DAY
    return ReadyTable(honest.customer_ids, cutoffs, honest.churned, honest.columns, honest.values, honest.categories)


def found(table, keep=()):
    return {(one.name, one.kind): one for one in suspects(table, keep)}


def test_honest_columns_are_not_suspected(honest):
    assert suspects(honest) == []


def test_a_column_that_almost_equals_the_label_is_left_out_with_its_evidence(honest, dice):
    echo = honest.churned + dice.normal(0, 0.2, N)
    one = found(made(honest.churned, echo=echo))["echo", "almost equals the label"]
    assert one.left_out
    assert one.evidence["auroc_alone"] > 0.99


def test_a_leak_in_either_direction_and_between_is_seen(honest):
    ring = np.where(honest.churned, 5.0, np.where(np.arange(N) % 2 == 0, 1.0, 9.0))
    assert ("ring", "almost equals the label") in found(made(honest.churned, ring=ring))


def test_a_reason_filled_only_for_some_who_left_is_left_out(honest):
    reason = np.where(honest.churned & (np.arange(N) % 2 == 0), "price", None).astype(object)
    assert found(made(honest.churned, ["reason"], reason=reason))["reason", "almost equals the label"].left_out


LOYAL = {
    "a flag": (lambda stayed, dice: np.where(stayed & (dice.random(2000) < 0.6), 1.0, 0.0), "one value or span"),
    "a date": (lambda stayed, dice: np.where(stayed & (dice.random(2000) < 0.45), dice.random(2000), np.nan), "filled"),
    "a sum": (
        lambda stayed, dice: np.where(stayed & (dice.random(2000) < 0.45), dice.random(2000), 0.0),
        "another than",
    ),
    "a gap": (lambda stayed, dice: np.where(stayed & (dice.random(2000) < 0.45), np.nan, dice.random(2000)), "empty"),
}


@pytest.mark.parametrize(("make", "where"), LOYAL.values(), ids=LOYAL.keys())
def test_what_is_set_only_for_some_who_stayed_is_left_out(dice, make, where):
    churned = dice.random(2000) < 0.25
    one = found(made(churned, renewed=make(~churned, dice)))["renewed", "almost equals the label"]
    assert (one.left_out, where in one.said(), "nearly all stayed" in one.said()) == (True, True, True)


@pytest.mark.parametrize(("rate", "loyal_rate"), [(0.25, 0.01), (0.6, 0.02), (0.03, 0.002)])
def test_a_group_that_seldom_leaves_is_not_suspected(dice, rate, loyal_rate):
    loyal = dice.random(20_000) < 0.4
    churned = dice.random(20_000) < np.where(loyal, loyal_rate, rate)
    assert ("yearly", "almost equals the label") not in found(made(churned, yearly=loyal))


def test_a_small_group_in_which_nobody_left_by_chance_is_not_suspected(dice):
    churned = np.arange(N) % 10 == 0
    assert suspects(made(churned, lucky=~churned & (np.arange(N) % 4 == 1))) == []


def test_being_filled_for_nearly_all_who_left_is_told(honest):
    filled = np.where(honest.churned, np.arange(N) % 10 < 9, np.arange(N) % 10 < 3)
    one = found(made(honest.churned, call=np.where(filled, 1.0, np.nan)))["call", "tells much alone"]
    assert (one.left_out, one.evidence["auroc_missing"] > 0.75) == (False, True)


def test_dates_after_the_cutoff_are_left_out_and_counted(honest, dice):
    one = found(made(honest.churned, dates=["seen"], seen=dice.integers(-3, 40, N)))["seen", "dates after the cutoff"]
    assert one.left_out
    assert 0 < one.evidence["share"] < 0.2


@pytest.mark.parametrize("ids", [np.arange(N) + 1000.0, np.arange(N) * 7919 % 100_003 + 3e9])
def test_a_number_of_its_own_for_each_customer_is_an_id(honest, ids):
    assert found(made(honest.churned, number=ids))["number", "id"].left_out


def test_amounts_that_all_differ_are_no_id(honest, dice):
    cents = dice.permutation(10 * N)[:N] * 31.0
    assert suspects(made(honest.churned, spend=dice.gamma(2, 50, N), cents=cents)) == []


def test_a_text_of_its_own_for_each_customer_at_several_cutoffs_is_an_id(honest):
    names = [f"n{n % 100}" for n in range(N)]
    table = made(honest.churned, ["name"], ids=names, name=names, cutoffs=np.arange(N) // 100)
    assert found(table)["name", "id"].left_out


def test_a_constant_column_is_left_out_even_if_kept(honest):
    assert found(made(honest.churned, same=np.ones(N)), ["same"])["same", "constant"].left_out


def test_what_is_kept_is_told_and_used(honest):
    one = found(made(honest.churned, echo=honest.churned), ["echo"])["echo", "almost equals the label"]
    assert not one.left_out


def test_rows_alike_to_three_digits_are_twins_and_never_apart_in_a_fold(honest):
    values = np.concatenate([honest.column("silence"), honest.column("silence")[:50] * 1.00001])
    table = made(np.concatenate([honest.churned, honest.churned[:50]]), silence=values)
    groups = twins(table)
    assert twin_share(groups, table.customer_ids) > 0.2
    for teach, judge in folds(table, seed=0):
        assert not set(groups[teach]) & set(groups[judge])


def test_a_crowd_that_is_alike_by_nature_is_not_held_together(honest):
    table = made(honest.churned, step=np.arange(N) % 4)
    assert twin_share(twins(table), table.customer_ids) == 0


def test_every_row_is_judged_once_and_each_fold_has_its_share_of_churners(honest):
    parts = folds(honest, seed=0)
    assert sorted(np.concatenate([judge for _, judge in parts])) == list(range(N))
    assert np.ptp([honest.churned[judge].sum() for _, judge in parts]) <= 2


def test_a_missing_a_rare_and_an_unseen_category_count_as_one(model, honest):
    plans = np.array(["free", None, "odd", "never seen"], dtype=object)
    few = ReadyTable(*(one[:4] for one in (honest.customer_ids, honest.cutoffs, honest.churned)),
                     honest.columns, honest.values[:1].repeat(4, axis=0), {"plan": plans})  # fmt: skip
    scores = model.probability(model.design.matrix(few))
    assert scores[1] == scores[2] == scores[3] != scores[0]
    assert model.design.unseen(few) == {"plan": 2}


def test_a_column_with_gaps_says_so_in_a_column_of_its_own(model):
    assert model.design.gaps == ("spend",)
    assert ("spend", "missing") in model.design.parts


def test_the_reasons_and_the_base_sum_to_the_logit(model, honest):
    matrix = model.design.matrix(honest)
    by_column, base = model.contributions(matrix)
    logit = (model.logits(matrix) * np.array(model.weights)).sum(axis=1)
    assert set(by_column) == {"silence", "noise", "spend", "plan"}
    np.testing.assert_allclose(sum(by_column.values()) + base, logit, atol=1e-9)


def test_a_row_scores_the_same_alone_and_among_many(model, honest):
    together = model.probability(model.design.matrix(honest))
    alone = model.probability(model.design.matrix(honest.take(np.array([7]))))
    assert alone[0] == together[7]


def test_one_snapshot_is_judged_in_folds_beside_the_baselines_and_says_what_it_cannot_tell(judged):
    told = judged.to_json(None)
    assert (told["out_of_time"], told["customers"], told["cutoff"]) == (False, N, "an unnamed day")
    assert set(told["churn"]["baselines"]) == {"base rate", "logistic regression", "LightGBM default"}
    assert "This is one snapshot." in told["cannot_tell"][0]
    assert "no customer value" in told["cannot_tell"][-1]


def test_the_figures_have_intervals_and_beat_the_base_rate(judged):
    churn = judged.to_json(None)["churn"]
    low, high = churn["intervals"]["auroc"]
    assert 0.55 < low < churn["auroc"] < high < 0.95


def test_several_cutoffs_are_judged_on_the_last(panel):
    judged = judge_and_fit(panel, QUICK, "UTC", 30)
    assert (judged.out_of_time, judged.judgement.customers, judged.judgement.cutoff) == (True, 100, "1970-04-01")


def test_several_cutoffs_are_refused_where_nobody_says_how_far_the_label_looks(panel):
    with pytest.raises(UsageError, match="a table of several cutoffs needs --horizon-days, found 4 cutoffs"):
        judge_and_fit(panel, QUICK, "UTC", None)


def test_no_cutoff_teaches_before_its_label_is_final(panel):
    judged = judge_and_fit(panel, QUICK, "UTC", 365)
    assert not judged.out_of_time
    assert "too few churners to teach with the earlier ones" in judged.cannot_tell[0]


def test_noise_is_judged_as_noise(dice):
    judged = judge_and_fit(made(np.arange(N) % 2, noise=dice.normal(size=N)), QUICK, "UTC", None)
    auroc = judged.contest.ours.figures["auroc"]
    assert auroc.low < 0.5 < auroc.high


def test_what_is_too_good_is_not_promoted(honest):
    judged = judge_and_fit(made(honest.churned, echo=honest.churned), QUICK, "UTC", None)
    assert "too good to be true" in judged.gate()[-1]


def test_too_few_churners_are_refused_with_what_is_needed(honest):
    with pytest.raises(NotEnoughDataError, match=r"needs 30 rows of customers who churned .* found 5 and 395"):
        judge_and_fit(made(np.arange(N) < 5, noise=honest.column("noise")), QUICK, "UTC", None)


@pytest.fixture
def folder(model, tmp_path):
    return tmp_path / save_tabular(model, {"roles": {"label": "churned"}}, tmp_path)


def test_a_model_comes_back_bit_for_bit_with_its_schema(model, honest, folder):
    again, manifest = load_tabular(folder)
    matrix = model.design.matrix(honest)
    assert again.probability(matrix).tobytes() == model.probability(matrix).tobytes()
    assert manifest["kind"] == "feature table"
    assert manifest["inputs"][3] == {"name": "plan", "kind": "category"}


def test_the_same_rows_give_the_same_bundle(honest, folder):
    again = fit_tabular(honest, (0.2, 0.4), rounds=10, seed=0)
    assert save_tabular(again, {"roles": {"label": "churned"}}, folder.parent) == folder.name


def test_no_customer_is_in_the_bundle(folder, honest):
    content = json.loads((folder / "model.json").read_text())
    assert content["categories"] == {"plan": ["free", "gold"]}
    assert "c17" not in (folder / "manifest.json").read_text()


def test_a_changed_byte_is_refused_before_it_is_parsed(folder):
    (folder / "churn.txt").write_bytes((folder / "churn.txt").read_bytes()[:-1])
    with pytest.raises(ModelRefusedError, match="was not opened"):
        load_tabular(folder)


def test_each_kind_of_bundle_is_loaded_as_what_it_is(folder):
    with pytest.raises(ModelRefusedError, match="holds a model of feature table, expected one of landed tables"):
        load_bundle(folder)


def test_a_sound_bundle_passes_its_trial(folder):
    _smoke(folder)
