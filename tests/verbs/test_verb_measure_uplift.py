"""`churnml measure uplift` learns from contacts drawn by chance, saves what it learned, and says what is not known."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from churnml.verbs.own_effects import own_effects
from churnml.verbs.session import Session
from command import churnml
from small import Tiny

N, PER_DAY = 720, 30
START = datetime(2020, 1, 1, tzinfo=UTC)
CONFIGS = {"assign.yaml": "effect_horizon_days: 30\n", "train.yaml": "churn: orders\nreturn_window_days: 0\n"}


pytestmark = pytest.mark.long  # learning the four folds and three in sequence of two outcomes takes its time


@dataclass(frozen=True)
class Shop:
    """A shop that mailed half of its customers by chance: those who buy much buy more for it, the others less."""

    folder: Path
    root: Path

    def churnml(self, verb, *words):
        return churnml(*verb.split(), "-w", self.root, "--configs", self.folder / "configs", *words)

    @property
    def session(self):
        return Session.open(self.root, self.folder / "configs", as_json=True)


def csv(header, rows):
    return "\n".join([header, *(",".join(map(str, row)) for row in rows)]) + "\n"


def day(number):
    return (START + timedelta(days=float(number))).isoformat()


def life(rng, number):
    """Return a customer's orders and their contacts: a mail by chance, and a call that a rule chose."""
    who, much = f"c{number:04}", number % 2 == 0
    mailed, decided = bool(rng.random() < 0.5), 100 + number % PER_DAY
    days = rng.choice(decided, size=12 if much else 3, replace=False)
    after = (60 + 50 * mailed if much else 160 - 50 * mailed) + rng.normal(0, 10)
    orders = [(who, day(at), f"{who}-{at}", 10) for at in days]
    orders.append((who, day(decided + 5), f"{who}-after", round(max(after, 1), 2)))
    contacts = [(who, day(decided + 0.4), f"{who}-mail", "mail", "treated" if mailed else "control", 0.5)]
    contacts += [(who, day(decided + 0.5), f"{who}-call", "call", "treated" if much else "control", "")]
    return orders, contacts


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shop")
    tiny, rng = Tiny.make(folder), np.random.default_rng(0)
    lives = [*(life(rng, number) for number in range(N)), ([("c0000", day(200), "last", 10)], [])]
    tables = {
        "customers": csv("customer_id,occurred_at", ((f"c{number:04}", day(0)) for number in range(N))),
        "orders": csv("customer_id,occurred_at,order_id,amount", (row for one, _ in lives for row in one)),
        "contacts": csv(
            "customer_id,occurred_at,contact_id,action,arm,propensity", (row for _, one in lives for row in one)
        ),
    }
    for name, text in tables.items():
        tiny.ingest(name, tiny.file(f"{name}.csv", text))
    (folder / "configs").mkdir()
    for name, text in CONFIGS.items():
        (folder / "configs" / name).write_text(text)
    (folder / "configs" / "actions.yaml").write_text(
        (Path(__file__).parents[2] / "configs" / "actions.yaml").read_text().replace("thank_you_email", "mail")
    )
    return Shop(folder, tiny.workspace.root)


@pytest.fixture(scope="module")
def said(shop):
    report = shop.folder / "uplift.html"
    return shop.churnml("measure uplift", "--cutoff", "2020-06-10", "--report", report, "--language", "zh", "--json")


@pytest.fixture(scope="module")
def body(said):
    assert said.code == 0, said.err
    return said.body


def test_an_action_drawn_by_chance_is_known_and_one_chosen_by_a_rule_is_not(body):
    assert (body["evidence"]["mail"], body["evidence"]["call"]) == ("order", "none")
    assert body["actions"]["call"]["no_evidence_because"] == "no_randomised"
    assert body["actions"]["call"]["not_by_chance"] == N
    assert set(body["evidence"].values()) == {"order", "none"}


def test_groups_that_a_mail_harms_are_told_with_their_customers(body):
    margin = body["actions"]["mail"]["outcomes"]["margin"]
    assert margin["order_proven"]
    assert 0.3 * N < margin["sleeping_customers"] <= 0.5 * N


def test_each_customer_has_their_own_effect_as_of_a_cutoff(shop, body):
    session, at = shop.session, int((START + timedelta(days=105)).timestamp() * 1e6)
    found = own_effects(session, at, [f"c{number:04}" for number in range(N)], ("do_nothing", "call", "mail"))
    much, few = (found.margin_change[start::2, 2] for start in (0, 1))
    assert min((much > 0).mean(), (few < 0).mean()) > 0.95
    assert found.sleeping[1::2, 2].mean() > 0.9
    assert found.sleeping[::2, 2].mean() < 0.05
    assert np.isnan(found.margin_change[:, :2]).all()


def test_assign_is_told_what_is_known_of_each_action(shop, body):
    known = shop.session.catalogue.last_run("measure uplift").summary["evidence"]
    assert {name: known.get(name, "none") for name in ("do_nothing", "mail", "call")} == {
        "do_nothing": "none",
        "mail": "order",
        "call": "none",
    }


def test_what_was_learned_is_saved_and_found_by_its_alias(shop, body):
    catalogue = shop.session.catalogue
    assert catalogue.alias("uplift") == body["model_version"] == catalogue.last_run("measure uplift").bundle
    assert (shop.session.workspace.models / body["model_version"] / "uplift.json").is_file()


def test_the_same_data_are_not_learned_from_twice(shop, body):
    before = len(shop.session.catalogue.runs("measure uplift"))
    again = shop.churnml("measure uplift", "--cutoff", "2020-06-10", "--json", "--report", shop.folder / "uplift.json")
    assert again.body == body == json.loads((shop.folder / "uplift.json").read_text(encoding="utf-8"))
    assert len(shop.session.catalogue.runs("measure uplift")) == before


def test_the_page_tells_it_in_chinese_with_its_pictures(shop, body):
    page = (shop.folder / "uplift.html").read_text(encoding="utf-8")
    assert "各项行动在 30 天内对谁有效" in page
    assert "“感谢信”对部分客户有害" in page
    assert page.count('class="chart"') == 2
    assert "<script" not in page


def test_people_read_a_sentence_for_each_thing_that_is_known(shop, body):
    said = shop.churnml("measure uplift", "--cutoff", "2020-06-10").err
    assert "Thank-you note: whom it helps more can be told" in said
    assert "call: no evidence, because no contact was drawn by chance with a recorded propensity" in said


def test_before_anything_is_final_nothing_is_known(shop):
    said = shop.churnml("measure uplift", "--cutoff", "2020-04-15", "--json")
    assert said.code == 0, said.err
    assert set(said.body["evidence"].values()) == {"none"}
    assert (said.body["decisions"], said.body["still_open"] > 0) == (0, True)


def test_a_report_of_another_kind_is_refused(shop):
    said = shop.churnml("measure uplift", "--report", "uplift.pdf")
    assert (said.code, said.err) == (2, "error: --report must end in .html or .json, got uplift.pdf; rename it")
