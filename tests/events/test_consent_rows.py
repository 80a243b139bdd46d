"""No refusal is lost for the way its row is written, nor for another file that is broken, and all of it is said."""

import pytest

from churnml.errors import DataRefusedError
from churnml.events import ingest, marketing
from churnml.events.clock import DAY
from churnml.events.sources.files import file_source
from small import NOW

HEAD = "customer_id,occurred_at,purpose,channel,granted\n"
SHOP = {
    "customers": "customer_id occurred_at\nann 2020-01-01\nbob 2020-01-01",
    "orders": "customer_id occurred_at order_id amount\nann 2021-08-01 o1 10\nbob 2021-08-01 o2 20",
}


@pytest.fixture
def shop(tiny):
    """Return a shop of two customers."""
    tiny.land(**SHOP)
    return tiny


def say(tiny, *rows, now=NOW + 1):
    """Land rows of consents and return what became of them."""
    path = tiny.file(f"consents-{now}.csv", HEAD + "".join(f"{row}\n" for row in rows))
    return tiny.ingest("consents", path, now).tables[0]


def warned(report):
    return [(one.kind, one.column, one.rule, one.count) for one in report.findings]


def together(tiny, consents, orders, **how):
    """Land consents and orders in one landing."""
    texts = {"consents": HEAD + consents, "orders": orders}
    sources = [file_source(name, tiny.file(f"{name}.csv", text), "UTC") for name, text in texts.items()]
    return ingest(tiny.workspace, tiny.catalogue, sources, tiny.config, NOW + 1, **how)


# However it is written


def test_an_id_with_blanks_at_its_ends_refuses_for_the_customer_without_them(shop):
    report = say(shop, " ann ,2021-09-01,profiling,,false")
    assert shop.catalogue.refusing() == {"ann"}
    assert warned(report) == [("warning", "customer_id", "is read without the blanks at its ends", 1)]


@pytest.mark.parametrize("purpose", ["Profiling", "PROFILING ", "\u00a0profiling"])
def test_a_purpose_counts_in_capitals_and_with_blanks(shop, purpose):
    report = say(shop, f"ann,2021-09-01,{purpose},,false")
    assert shop.catalogue.refusing() == {"ann"}
    assert warned(report) == [("warning", "purpose", "is read in small letters and without blanks at its ends", 1)]


def test_what_is_blank_all_through_is_not_filled(shop):
    report = say(shop, "  ,2021-09-01,profiling,,false", "ann,2021-09-01, ,,false")
    assert sorted(warned(report)) == [
        ("quarantine", "customer_id", "must be filled", 1),
        ("quarantine", "purpose", "must be filled", 1),
    ]


def test_a_withdrawal_from_a_channel_holds_however_the_channel_is_written(shop):
    say(shop, "ann,2021-01-01,marketing,,true", "ann,2021-02-01,marketing,Email ,false")
    said = marketing(shop.store)
    assert [said.may(["ann"], channel).tolist() for channel in ("email", "EMAIL", "phone")] == [
        [False],
        [False],
        [True],
    ]


def test_a_plain_row_is_not_warned_of(shop):
    assert warned(say(shop, "ann,2021-02-01,marketing,email,false")) == []


# Whenever it was said


@pytest.mark.parametrize("date", ["soon", "", "1.9.2021", "2031-01-01", "1820-01-01"])
def test_a_refusal_without_a_date_that_has_come_holds_from_its_landing(shop, date):
    report = say(shop, f"ann,{date},profiling,,false")
    assert shop.catalogue.refusing() == {"ann"}
    rule = "is no date that has come: what is refused holds from its landing on"
    assert warned(report) == [("warning", "occurred_at", rule, 1)]


def test_a_withdrawal_of_marketing_without_a_date_holds_from_its_landing(shop):
    say(shop, "ann,2021-09-17,marketing,,true")
    say(shop, "ann,soon,marketing,email,false", now=NOW + 2)
    assert marketing(shop.store).may(["ann"], "email").tolist() == [False]


def test_a_grant_without_a_date_is_set_aside(shop):
    assert [(one.kind, one.column) for one in say(shop, "ann,soon,marketing,,true").findings] == [
        ("quarantine", "occurred_at")
    ]


def test_an_undated_row_that_breaks_another_rule_stays_set_aside(shop):
    assert say(shop, "ann,soon,shopping,,false").quarantined == 1
    assert say(shop, "ann,soon,profiling,,perhaps", now=NOW + 2).quarantined == 1


def test_an_undated_refusal_is_taken_back_by_a_later_word_alone(shop):
    say(shop, "ann,soon,profiling,,false")
    say(shop, "ann,2021-09-01,profiling,,true", now=NOW + 2)
    assert shop.catalogue.refusing() == {"ann"}
    say(shop, "ann,2021-09-20,profiling,,true", now=NOW + 2 * DAY)
    assert shop.catalogue.refusing() == frozenset()


def test_an_undated_refusal_that_comes_again_every_day_lands_once(shop):
    say(shop, "ann,soon,profiling,,false")
    again = say(shop, "ann,soon,profiling,,false", "bob,2021-09-01,marketing,,true", now=NOW + DAY)
    assert (again.landed, again.skipped) == (1, 1)
    assert shop.catalogue.refusing() == {"ann"}


# Whatever is wrong with the files beside it


def test_a_broken_file_beside_the_consents_does_not_keep_them_from_landing(shop):
    with pytest.raises(DataRefusedError, match=r"Nothing landed but the consents: what someone refuses holds") as told:
        together(shop, "ann,2021-09-01,profiling,,false\n", "nope\n1\n")
    assert shop.catalogue.refusing() == {"ann"}
    assert told.value.report["batch_id"] == 2
    assert [one["table"] for one in shop.catalogue.report()["tables"]] == ["consents"]


def test_a_file_that_changes_while_it_is_read_does_not_keep_consents_from_landing(shop):
    def grow(origin):
        if origin == "orders.csv":
            shop.file("orders.csv", "customer_id,occurred_at,order_id,amount\nann,2021-08-02,o9,1\n")

    with pytest.raises(DataRefusedError, match="Nothing landed but the consents"):
        together(shop, "ann,2021-09-01,profiling,,false\n", "nope\n1\n", progress=grow)
    assert shop.catalogue.refusing() == {"ann"}


def test_consents_that_landed_alone_are_known_when_the_other_file_is_mended(shop):
    with pytest.raises(DataRefusedError):
        together(shop, "ann,2021-09-01,profiling,,false\n", "nope\n1\n")
    report = together(shop, "ann,2021-09-01,profiling,,false\n", "customer_id,occurred_at,order_id,amount\n")
    assert report.already_landed == ["consents.csv"]


def test_a_check_lands_no_consents(shop):
    with pytest.raises(DataRefusedError, match=r"Nothing landed\.$"):
        together(shop, "ann,2021-09-01,profiling,,false\n", "nope\n1\n", check_only=True)
    assert shop.catalogue.refusing() == frozenset()


def test_nothing_but_the_consents_lands_beside_a_broken_file(tiny):
    with pytest.raises(DataRefusedError):
        tiny.land(
            customers=SHOP["customers"],
            consents="customer_id occurred_at purpose granted\nann 2021-09-01 profiling false",
            orders="nope\n1",
        )
    assert [part.table_name for part in tiny.catalogue.parts()] == ["consents"]
