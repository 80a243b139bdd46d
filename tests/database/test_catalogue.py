"""The catalogue says which batches count, which runs are done, and which model is champion."""

import pytest
from sqlalchemy.exc import IntegrityError

from churnml.database import Part

PART = Part(1, "orders", "tables/orders/000001.parquet", 3, 10, 20, 5, "d" * 64)


def test_batches_are_numbered_from_one(tiny):
    assert tiny.catalogue.next_batch_id() == 1
    tiny.catalogue.land(1, 99, [], {}, [])
    assert tiny.catalogue.next_batch_id() == 2


def test_a_landed_batch_shows_its_parts_its_report_and_its_sources(tiny):
    tiny.catalogue.land(1, 99, [PART], {"tables": ["x"]}, ["abc"])
    assert tiny.catalogue.parts() == [PART]
    assert tiny.catalogue.parts("customers") == []
    assert tiny.catalogue.report() == {"tables": ["x"]}
    assert tiny.catalogue.knows_source("abc")
    assert not tiny.catalogue.knows_source("abcd")


def test_a_batch_that_cannot_land_whole_does_not_land_at_all(tiny):
    with pytest.raises(IntegrityError):
        tiny.catalogue.land(1, 99, [PART, PART], {}, ["abc"])
    assert tiny.catalogue.parts() == []
    assert tiny.catalogue.next_batch_id() == 1


def test_before_the_first_batch_there_is_no_report(tiny):
    assert tiny.catalogue.report() is None


def test_the_last_run_is_the_last_that_was_done(tiny):
    runs = [tiny.catalogue.start("train", inputs, now) for now, inputs in enumerate("abc")]
    tiny.catalogue.finish(runs[0], 10, {"auc": 0.8}, bundle="hash")
    tiny.catalogue.finish(runs[1], 11, {}, ok=False)
    last = tiny.catalogue.last_run("train")
    assert (last.run_id, last.state, last.bundle, last.summary) == (runs[0], "done", "hash", {"auc": 0.8})


def test_a_run_is_found_by_exactly_what_it_was_made_from(tiny):
    for now, inputs in enumerate("ab"):
        tiny.catalogue.finish(tiny.catalogue.start("score", inputs, now), 10 + now, {})
    assert tiny.catalogue.last_run("score", "a").inputs == "a"
    assert tiny.catalogue.last_run("score", "z") is None
    assert tiny.catalogue.last_run("train") is None


def test_an_alias_points_where_it_was_moved_last(tiny):
    assert tiny.catalogue.alias("champion") is None
    for now, bundle in enumerate(("first", "second")):
        tiny.catalogue.move_alias("champion", bundle, now)
    assert tiny.catalogue.alias("champion") == "second"


def _moved(catalogue, *bundles):
    for now, bundle in enumerate(bundles):
        catalogue.move_alias("champion", bundle, now)


def test_an_alias_remembers_what_it_pointed_at_before(tiny):
    assert tiny.catalogue.before("champion") is None
    _moved(tiny.catalogue, "first")
    assert tiny.catalogue.before("champion") is None
    _moved(tiny.catalogue, "second", "third")
    assert tiny.catalogue.before("champion") == "second"


def test_an_alias_that_went_back_can_go_back_further(tiny):
    _moved(tiny.catalogue, "first", "second", "third")
    tiny.catalogue.move_alias("champion", "second", 9, "rolled back", back=True)
    assert tiny.catalogue.before("champion") == "first"
    tiny.catalogue.move_alias("champion", "fourth", 10)
    assert tiny.catalogue.before("champion") == "second"


def test_an_alias_moved_to_where_it_points_has_not_moved(tiny):
    _moved(tiny.catalogue, "first", "first")
    assert [(move.bundle, move.moved_at) for move in tiny.catalogue.moves("champion")] == [("first", 0)]
