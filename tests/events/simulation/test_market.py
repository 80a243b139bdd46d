"""A market as files: the tables of the contract, the truth apart, the same bytes for the same seed."""

import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from churnml.config import WorkspaceConfig
from churnml.database import Catalogue, Workspace, open_engine
from churnml.errors import UsageError
from churnml.events import TABLES, ingest
from churnml.events.clock import microseconds
from churnml.events.simulation import VARIANTS, Market, futures, live, market, saved_state, write_new
from churnml.events.simulation.contacting import NOTHING
from churnml.events.sources.mapping import sources_of

SMALL = Market(400, 430, 3)
NOW = microseconds(datetime(2026, 1, 1, tzinfo=UTC))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("simulated") / "market"
    write_new(SMALL, folder)
    return folder


def table(folder, name):
    return pq.read_table(folder / "tables" / f"{name}.parquet")


def contents(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_every_table_of_the_contract_is_there_with_its_columns(folder):
    for name, declared in TABLES.items():
        assert table(folder, name).column_names == list(declared.names)
        assert len(table(folder, name)), name


def test_it_lands_whole_and_without_a_warning(folder, tmp_path):
    workspace = Workspace.open(tmp_path / "workspace", create=True)
    catalogue = Catalogue(open_engine(workspace.database))
    report = ingest(workspace, catalogue, sources_of(folder / "sources.yaml", "UTC"), WorkspaceConfig(), NOW)
    catalogue.engine.dispose()
    assert {one.table: one.landed for one in report.tables} == {name: len(table(folder, name)) for name in TABLES}
    assert not [finding for one in report.tables for finding in one.findings]
    assert not [one.table for one in report.tables if one.undated]


def test_nothing_is_learned_before_it_happens_or_after_the_market_ends(folder):
    end = np.datetime64(SMALL.ends, "us")
    for name, declared in TABLES.items():
        rows = table(folder, name)
        learned = rows["ingested_at"].to_numpy()
        assert (learned < end).all(), name
        assert (learned >= rows["occurred_at"].to_numpy()).all(), name
        for time in declared.later:
            told = pc.is_valid(rows[time]).to_numpy()
            assert (rows[time].to_numpy()[told] <= learned[told]).all(), (name, time)


def test_nobody_does_anything_before_they_were_met(folder):
    met = dict(
        zip(*(table(folder, "customers")[name].to_pylist() for name in ("customer_id", "occurred_at")), strict=True)
    )
    for name in TABLES:
        rows = table(folder, name)
        pairs = zip(rows["customer_id"].to_pylist(), rows["occurred_at"].to_pylist(), strict=True)
        assert all(at >= met[who] for who, at in pairs), name


def test_a_contract_says_when_it_renews_and_is_renewed_then(folder):
    rows = [row for row in table(folder, "subscriptions").to_pylist() if row["ended_at"] is None]
    assert all((row["renews_at"] - row["occurred_at"]).days == 30 for row in rows)
    assert len(rows) > 2 * len({row["subscription_id"] for row in rows})


def test_one_order_in_a_hundred_is_booked_a_day_late_and_tickets_come_with_the_nightly_export(folder):
    orders, tickets = table(folder, "orders"), table(folder, "tickets")
    late = (orders["ingested_at"].to_numpy() - orders["occurred_at"].to_numpy()) // np.timedelta64(1, "D")
    assert set(late) == {0, 1}
    assert late.mean() == pytest.approx(0.01, abs=0.008)
    assert {moment.hour for moment in tickets["ingested_at"].to_pylist()} == {2}


def test_lines_add_up_to_their_order_and_returns_never_to_more(folder):
    orders, lines, back = (table(folder, name) for name in ("orders", "order_lines", "returns"))
    added = lines.group_by("order_id").aggregate([("amount", "sum"), ("discount", "sum"), ("quantity", "sum")])
    both = orders.select(["order_id", "amount", "discount", "quantity"]).join(added, "order_id")
    assert len(both) == len(orders)
    for name in ("amount", "discount", "quantity"):
        assert both[name].to_numpy() == pytest.approx(both[f"{name}_sum"].to_numpy())
    with_back = back.select(["order_id", "amount"]).join(orders.select(["order_id", "amount"]), "order_id",
                                                         right_suffix="_paid")  # fmt: skip
    assert (with_back["amount"].to_numpy() <= with_back["amount_paid"].to_numpy()).all()


def test_visits_are_recorded_of_those_only_who_allowed_it(folder):
    untracked = SMALL.traits().number[~SMALL.traits().tracked]
    seen = set(table(folder, "interactions").filter(pc.equal(table(folder, "interactions")["kind"], "visit"))
               ["customer_id"].to_pylist())  # fmt: skip
    assert seen
    assert not seen & {f"C{number:07}" for number in untracked}


def test_no_table_tells_the_truth(folder):
    """What a customer is like and feels stands in no column, and nobody's departure is recorded."""
    kinds = set(table(folder, "interactions")["kind"].to_pylist())
    assert kinds == {
        "visit", "view", "search", "search_without_result", "help", "redeem", "email_open", "email_click", "payment",
        "payment_failed",
    }  # fmt: skip
    for name, declared in TABLES.items():
        for column in declared.columns:
            if column.personal:
                assert table(folder, name)[column.name].null_count == len(table(folder, name))


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(tmp_path):
    for name, seed in (("one", 3), ("again", 3), ("other", 4)):
        write_new(Market(200, 200, seed), tmp_path / name)
    one, again, other = (contents(tmp_path / name) for name in ("one", "again", "other"))
    assert again == one
    assert [name for name, data in one.items() if other[name] == data] == ["sources.yaml"]


@pytest.mark.long
def test_the_size_of_a_block_changes_no_row(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(market, "_AT_ONCE", 150)
    write_new(SMALL, tmp_path / "blocks")
    for name, declared in TABLES.items():
        key = [(column, "ascending") for column in ("customer_id", "occurred_at", *declared.key, "ingested_at")]
        one, other = (table(place, name).sort_by(list(dict.fromkeys(key))) for place in (folder, tmp_path / "blocks"))
        assert one.equals(other), name


def test_the_saved_state_of_a_morning_is_the_one_that_was_lived(folder):
    traits = SMALL.traits()
    (day, morning), *_ = [(d.happened.day, d.morning) for d in live(SMALL, traits, seen=False) if d.morning is not None]
    saved = saved_state(folder / "truth", day)
    for name, values in vars(morning).items():
        assert (getattr(saved, name) == values).all(), name
    one, other = (
        futures(3, traits, state, SMALL.equations, day, np.full(len(traits), NOTHING), redraws=3)
        for state in (saved, morning)
    )
    assert one.margin.tolist() == other.margin.tolist()


def test_a_morning_that_was_not_saved_is_told_with_those_that_were(folder):
    days = ", ".join(map(str, SMALL.saved_days))
    with pytest.raises(UsageError, match=rf"the state of day 5 was not saved; there are those of days {days}"):
        saved_state(folder / "truth", 5)


def test_the_truth_of_departures_and_moods_stands_apart(folder):
    customers = pq.read_table(folder / "truth" / "customers.parquet")
    moods = pq.read_table(folder / "truth" / "moods.parquet")
    left = {row["number"]: row["left_day"] for row in customers.to_pylist()}
    gone = moods.filter(pc.equal(moods["mode"].cast("string"), "gone")).to_pylist()
    assert gone
    assert all(row["day"] >= left[row["number"]] for row in gone)


def test_an_empty_folder_is_filled_and_stays_the_folder_it_was(tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    write_new(Market(3, 10, 0), tmp_path / "here")
    assert sorted(path.name for path in Path().iterdir()) == ["market.json", "sources.yaml", "tables", "truth"]


def test_prices_that_rise_need_a_market_that_lasts_so_long():
    with pytest.raises(
        UsageError, match="--variant drift needs --days above 500, the day on which prices rise, got 500"
    ):
        Market(10, 500, 0, "drift")


@pytest.mark.parametrize("variant", sorted(VARIANTS))
def test_every_variant_can_be_made_even_of_one_customer_and_two_days(variant, tmp_path):
    days = 501 if variant == "drift" else 2
    rows = write_new(Market(1, days, 0, variant), tmp_path / "tiny")
    assert rows["customers"] <= 1
    assert json.loads((tmp_path / "tiny" / "market.json").read_text())["variant"] == variant
