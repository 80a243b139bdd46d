"""`churnml check truth` holds a model beside the truth of a market, reads only, and refuses what has no truth."""

import pytest

from command import churnml
from small import Tiny

SMALL = "{horizon_days: 30, min_history_days: 60, max_cutoffs: 3, rounds: 20}"
FEW = ("--customers", 200, "--redraws", 10)


@pytest.fixture(scope="module")
def ask(memoryless, tmp_path_factory):
    """Return a caller of the check on a small market."""
    configs = tmp_path_factory.mktemp("configs")
    (configs / "train.yaml").write_text(SMALL)

    def called(*options, settings=SMALL):
        (configs / "train.yaml").write_text(settings)
        return churnml("check", "truth", "--workspace", memoryless.root, "--configs", configs, *FEW, *options)

    return called


@pytest.fixture(scope="module")
def found(ask):
    return ask("--json")


def test_it_tells_silence_for_30_60_and_90_days_beside_the_truth_and_a_perfect_model(found):
    silence = found.body["silence"]
    assert [one["days"] for one in silence] == [30, 60, 90]
    assert [one["taught"] for one in silence] == [True, False, False]
    assert all(0 < one["true"] < one["said"] + 0.3 and one["perfect_95"] > 0 for one in silence)


def test_margins_are_beside_their_true_means_in_the_horizon_and_for_lifetime_value(found):
    body = found.body
    assert [one["days"] for one in body["margin"]] == [30, 365]
    assert all(one["true"] > 0 for one in body["margin"])
    assert 0.7 < body["intervals"]["covered"] <= 1
    assert body["simulated"]


def test_the_exit_code_says_whether_all_holds(found):
    holds = all(one["holds"] for one in found.body["silence"])
    assert (found.code, found.body["findings"] == []) == ((0, True) if holds else (4, False))


def test_people_get_a_table_and_a_file_of_it(ask, tmp_path):
    done = ask("--report", tmp_path / "truth.md")
    page = (tmp_path / "truth.md").read_text()
    assert "| left within, days | said | true |" in page
    assert "Beside the truth of a simulated market, 2023-05-01" in done.err


def test_a_morning_that_was_not_saved_is_refused_with_those_that_were(ask):
    done = ask("--cutoff", "2023-05-02")
    assert done.code == 2
    assert "a day whose morning the market saved (2023-01-31, 2023-05-01), got 2023-05-02" in done.err


def test_a_horizon_that_outlasts_the_market_is_refused(ask):
    done = ask(settings="{horizon_days: 120}")
    assert done.code == 3
    assert "a horizon of 120 days from 2023-05-01 outlasts the market, which ends on 2023-07-30" in done.err


def test_a_report_of_another_kind_is_refused_before_the_work(ask, tmp_path):
    done = ask("--report", tmp_path / "truth.pdf")
    assert (done.code, list(tmp_path.iterdir())) == (2, [])
    assert "--report must end in .md or .json, got truth.pdf" in done.err


def test_data_without_a_known_truth_are_refused_with_what_would_have_one(tmp_path):
    tiny = Tiny.make(tmp_path)
    tiny.land(customers="customer_id occurred_at\na 2020-01-01")
    done = churnml("check", "truth", "--workspace", tiny.workspace.root)
    assert done.code == 2
    assert "the truth is known of a simulated market only" in done.err
    assert "`churnml simulate` makes one" in done.err


@pytest.mark.long
@pytest.mark.parametrize("seed", [1, 2])
def test_a_blend_is_near_the_truth_of_a_market_and_its_calibration_takes_it_no_farther_away(seed, tmp_path):
    size = ("--customers", 4_000, "--days", 730, "--seed", seed)
    assert churnml("simulate", *size, "--workspace", tmp_path / "ws").code == 0
    done = churnml("check", "truth", "--workspace", tmp_path / "ws", "--configs", tmp_path, "--json")
    assert done.code in (0, 4), done.err
    print(done.out)  # noqa: T201  # for who asks
    taught = [one for one in done.body["silence"] if one["taught"]]
    assert [one["days"] for one in taught] == [30, 60]
    assert all(one["ece"] < 0.06 and one["log_loss"] < one["log_loss_raw"] + 0.001 for one in taught)
    assert all(abs(one["bias"]) < 0.4 and one["gini"] > 0.7 for one in done.body["margin"])
