"""`churnml init` writes what a workspace starts from, and overwrites nothing."""

import csv

import pytest

from churnml.config import WorkspaceConfig, load_config
from churnml.events.schema import TABLES
from churnml.events.sources.mapping import sources_of
from churnml.verbs.init import packaged_configs
from command import churnml

KUNDEN = "Kundennummer;Anlagedatum;Stadt\n00123;31.03.2020;Ort\n00124;01.04.2020;Ort\n"


def init(folder, *words):
    return churnml("init", "--workspace", folder / "workspace", "--configs", folder / "configs", *words)


@pytest.fixture
def exports(tmp_path):
    (tmp_path / "exports").mkdir()
    (tmp_path / "exports" / "kunden.csv").write_text(KUNDEN)
    return tmp_path / "exports"


def test_a_new_workspace_has_settings_templates_and_an_example_that_is_read(tmp_path):
    assert init(tmp_path).code == 0
    assert (tmp_path / "workspace" / "churnml.db").exists()
    assert {path.name for path in (tmp_path / "configs").iterdir()} == {p.name for p in packaged_configs().iterdir()}
    assert [source.table for source in sources_of(tmp_path / "sources.yaml", "UTC")] == ["customers", "orders"]


def test_there_is_a_template_of_every_table_with_its_columns(tmp_path):
    init(tmp_path)
    for table in TABLES.values():
        with (tmp_path / "templates" / f"{table.name}.csv").open(newline="") as handle:
            assert list(csv.reader(handle)) == [list(table.names)]


def test_the_settings_are_read_and_the_attributes_of_the_demo_are_not_among_them(tmp_path):
    init(tmp_path)
    settings = load_config(tmp_path / "configs" / "workspace.yaml", WorkspaceConfig, required=True)
    assert settings.attributes == {}
    assert "# attributes:" in (tmp_path / "configs" / "workspace.yaml").read_text(encoding="utf-8")


def test_nothing_that_exists_is_overwritten_and_it_is_said(tmp_path):
    (tmp_path / "sources.yaml").write_text("mine")
    said = init(tmp_path)
    assert (tmp_path / "sources.yaml").read_text() == "mine"
    assert f"there already, left as they were: {tmp_path}/sources.yaml" in said.err
    assert "written: " in said.err


def test_where_another_program_reads_a_long_path_is_not_cut_in_two(tmp_path):
    deep = tmp_path / ("long_name_" * 12)
    deep.mkdir()
    assert f"workspace: {deep}/workspace written:" in init(deep).err


def test_from_a_folder_it_proposes_with_a_confidence_and_says_what_comes_next(tmp_path, exports):
    said = init(tmp_path, "--from", exports)
    assert said.code == 0
    assert "exports/kunden.csv customers" in said.err
    assert f"next: churnml ingest --sources {tmp_path}/sources.yaml --check" in said.err
    (source,) = sources_of(tmp_path / "sources.yaml", "UTC")
    assert (source.table, source.origin) == ("customers", "exports/kunden.csv")


def test_with_json_all_of_it_is_told_to_machines(tmp_path, exports):
    body = init(tmp_path, "--from", exports, "--json").body
    assert str(tmp_path / "sources.yaml") in body["written"]
    assert body["left"] == []
    assert body["proposed"][0]["tables"] == ["customers"]
    assert 0 < body["proposed"][0]["confidence"] <= 1


def test_a_proposal_that_could_not_be_written_is_in_the_json(tmp_path, exports):
    (tmp_path / "sources.yaml").write_text("mine")
    body = init(tmp_path, "--from", exports, "--json").body
    assert "table: customers" in body["proposal"]


def test_where_nothing_can_be_proposed_the_example_is_written_and_what_to_do_said(tmp_path, exports):
    (exports / "kunden.csv").write_text("Shelf,Stock\nA,1\n")
    said = init(tmp_path, "--from", exports)
    assert "nothing could be proposed; name your files in sources.yaml as docs/sources.md shows" in said.err
    assert "left out kunden.csv: not recognised" in said.err
    assert "next: put your rows in templates/, or name your files in sources.yaml; then churnml ingest" in said.err
    assert [source.table for source in sources_of(tmp_path / "sources.yaml", "UTC")] == ["customers", "orders"]


def test_a_folder_that_is_not_there_is_refused_and_nothing_is_made(tmp_path):
    said = init(tmp_path, "--from", tmp_path / "none")
    assert said.code == 2
    assert "none is not a folder; name the one that holds the files" in said.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("url", ["https://me:secret@shop.org/a.csv", "s3://secret/a", "postgresql://me:secret@db/shop"])
def test_a_url_is_refused_unseen_with_what_to_do_and_nothing_is_made(tmp_path, url):
    said = init(tmp_path, "--from", url, "--json")
    assert said.code == 2
    assert "--from must name a folder of files, found a URL, which is not read here; download the files" in said.err
    assert "A PostgreSQL database is named in sources.yaml by hand" in said.err
    assert "secret" not in said.out + said.err
    assert list(tmp_path.iterdir()) == []


def test_where_something_is_to_decide_that_comes_next(tmp_path, exports):
    (exports / "kunden.csv").write_text(KUNDEN.replace("31.03", "01.03"))
    assert (
        "next: answer in sources.yaml what is to decide; then churnml ingest" in init(tmp_path, "--from", exports).err
    )


def test_a_template_without_rows_is_known_by_its_header(tmp_path):
    init(tmp_path)
    said = init(tmp_path, "--from", tmp_path / "templates", "--json")
    found = {table for one in said.body["proposed"] for table in one["tables"]}
    assert {"customers", "orders", "tickets", "surveys", "subscriptions"} <= found
    assert not said.body["questions"]
    assert "no row yet" in str(said.body)
