"""`churnml features` lists the catalogue and writes the matrix as it stood at the cutoffs."""

import pyarrow.parquet as pq

from churnml.events import TABLES
from churnml.features import catalogue
from command import churnml


def test_the_list_names_every_feature_with_its_meaning_in_both_languages():
    listed = churnml("features", "list", "--json").body
    assert [one["name"] for one in listed] == [feature.name for feature in catalogue(TABLES).features]
    assert len(listed) >= 40
    assert all(one["en"] and one["zh"] and one["unit"] and one["table"] for one in listed)


def test_the_list_of_a_workspace_adds_its_attributes(journey):
    listed = {one["name"] for one in journey.churnml("features list", "--json").body}
    assert {"household_size", "recency_days", "contacts_90d"} <= listed


def test_the_list_for_people_shows_the_names():
    assert "recency_days" in churnml("features", "list").out


def test_the_matrix_is_written_as_parquet_once_for_each_cutoff(journey, tmp_path):
    out = tmp_path / "new" / "features.parquet"
    days = ["--cutoff", "2017-06-01", "--cutoff", "2017-03-01", "--cutoff", "2017-06-01"]
    said = journey.churnml("features export", out, *days, "--json")
    table = pq.read_table(out)
    assert said.body == {"rows": table.num_rows, "file": str(out)}
    rows = list(zip(table["cutoff"].to_pylist(), table["customer_id"].to_pylist(), strict=True))
    assert rows == sorted(set(rows))
    assert {str(cutoff.date()) for cutoff, _ in rows} == {"2017-03-01", "2017-06-01"}


def test_the_matrix_holds_every_feature_of_the_workspace(journey, tmp_path):
    journey.churnml("features export", tmp_path / "f.parquet", "--cutoff", "2017-02-01")
    listed = [one["name"] for one in journey.churnml("features list", "--json").body]
    assert set(pq.read_schema(tmp_path / "f.parquet").names) == {"customer_id", "cutoff", "in_population", *listed}


def test_a_cutoff_before_the_data_is_refused_and_no_file_is_left(journey, tmp_path):
    said = journey.churnml("features export", tmp_path / "f.parquet", "--cutoff", "2016-01-01")
    assert said.code == 2
    assert "--cutoff must lie after the first order" in said.err
    assert list(tmp_path.iterdir()) == []


def test_a_cutoff_beyond_what_has_landed_is_refused_with_the_latest_that_may_be(journey, tmp_path):
    said = journey.churnml("features export", tmp_path / "f.parquet", "--cutoff", "2018-01-05")
    assert said.code == 2
    assert (
        "must not lie beyond what has landed, which ends on 2018-01-01, got 2018-01-05; choose 2018-01-02" in said.err
    )
    assert list(tmp_path.iterdir()) == []
