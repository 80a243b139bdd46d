"""`churnml handoff`: files for other tools, all or none, and who is not in them."""

import csv
import json

import pytest
from typer.testing import CliRunner

from churnml.cli import app
from churnml.database import Catalogue, Records, open_engine
from churnml.database.tombstones import bury
from churnml.verbs.session import clock
from new_database import new_workspace


def body(customer, arm="treated", because=None, band="high"):
    return {
        "customer_id": customer, "value_at_risk": 5.0, "churn_probability": 0.5, "risk_band": band, "arm": arm,
        "no_action_because": because, "reasons": [], "cutoff": "2018-01-01T00:00:00+00:00", "currency": "USD",
    }  # fmt: skip


@pytest.fixture
def there(tmp_path):
    """A workspace with a list of five."""
    workspace = new_workspace(tmp_path / "w")
    engine = open_engine(workspace.database)
    catalogue = Catalogue(engine)
    run_id = catalogue.start("assign", "inputs", 1)
    people = [body("1"), body("2", "control"), body("3", "none", "no_consent", "low"), body("-4"), body("00123")]
    Records(engine).write(run_id, people)
    catalogue.finish(run_id, 2, {"cutoff": "2018-01-01T00:00:00+00:00", "currency": "USD"})
    engine.dispose()
    return tmp_path


def run(there, *told, code=0):
    arguments = ["handoff", "-w", str(there / "w"), "--configs", str(there / "configs"), *told, "--json"]
    found = CliRunner().invoke(app, arguments)
    if code:
        return found.exception
    assert found.exit_code == 0, found.output
    return json.loads(found.stdout)


def rows(file):
    with file.open(newline="") as lines:
        return list(csv.DictReader(lines))


def test_the_file_holds_who_is_handed_over_and_the_answer_counts_who_is_not(there):
    told = run(there, "--to", "hubspot", "--out", str(there / "out.csv"))
    assert [row["customer_id"] for row in rows(there / "out.csv")] == ["00123", "1", "3"]
    assert (told["customers"], told["left_out"]) == (3, {"control": 1, "formula_id": 1})


def test_only_the_bands_asked_for_are_handed_over(there):
    assert run(there, "--to", "hubspot", "--out", str(there / "out.csv"), "--band", "low")["customers"] == 1


def test_the_names_of_the_settings_are_used(there):
    (there / "configs").mkdir()
    (there / "configs/handoff.yaml").write_text("targets: {zoho: {columns: {clv: Worth, customer_id: Number}}}")
    run(there, "--to", "zoho", "--out", str(there / "out.csv"))
    assert list(rows(there / "out.csv")[0]) == ["Number", "Worth"]


def test_addresses_come_from_a_file_of_ones_own(there):
    (there / "mail.csv").write_text("customer_id,email\n1,ann@b.example\n")
    told = run(there, "--to", "mailchimp", "--out", str(there / "out.csv"), "--emails", str(there / "mail.csv"))
    assert ([row["Email Address"] for row in rows(there / "out.csv")], told["left_out"]["no_email"]) == (
        ["ann@b.example"],
        2,
    )


def test_what_is_too_much_for_one_file_goes_into_numbered_ones(there, monkeypatch):
    import dataclasses

    from churnml.service.handoff import SHAPES

    monkeypatch.setitem(SHAPES, "zoho", dataclasses.replace(SHAPES["zoho"], most_rows=2))
    told = run(there, "--to", "zoho", "--out", str(there / "out.csv"))
    assert [file.rpartition("/")[2] for file in told["files"]] == ["out.csv", "out-2.csv"]
    assert [len(rows(there / name)) for name in ("out.csv", "out-2.csv")] == [2, 1]


def test_nothing_is_at_its_place_where_something_went_wrong(there, monkeypatch):
    from churnml.service.readings import Readings

    def broken(*_):
        yield body("1")
        raise RuntimeError("stop")

    monkeypatch.setattr(Readings, "whole_list", broken)
    run(there, "--to", "zoho", "--out", str(there / "out.csv"), code=1)
    assert not list(there.glob("*out*"))


@pytest.mark.parametrize(
    "told, words",
    [
        (["--to", "zohoo", "--out", "x.csv"], "did you mean `zoho`"),
        (["--to", "zoho", "--out", "x.csv", "--band", "hihg"], "--band must be one of high, medium, low"),
        (["--to", "mailchimp", "--out", "x.csv", "--emails", "nowhere.csv"], "must be a CSV in UTF-8"),
    ],
)
def test_what_cannot_be_is_refused_in_words(there, told, words, monkeypatch):
    monkeypatch.chdir(there)
    assert words in str(run(there, *told, code=2))


def test_the_summary_says_in_either_language_who_is_left_out(there):
    from churnml.verbs.handoff import told

    found = run(there, "--to", "zoho", "--out", str(there / "out.csv"))
    assert "left out: 1 controls" in told(found)
    assert "未写入: 1 对照客户" in told(found, "zh")


def test_a_file_in_the_writing_of_which_somebody_was_erased_is_thrown_away(there, monkeypatch):
    from churnml.service.readings import Readings

    whole = Readings.whole_list

    def meanwhile(reader, *asked):
        yield from whole(reader, *asked)
        with reader._engine.begin() as connection:
            bury(connection, ["1"], "er_1", clock())

    monkeypatch.setenv("CHURNML_SECRET", "what nobody would ever guess of a test")
    monkeypatch.setattr(Readings, "whole_list", meanwhile)
    refused = run(there, "--to", "zoho", "--out", str(there / "out.csv"), code=2)
    assert "erased while this was written" in str(refused)
    assert not list(there.glob("*out*"))
