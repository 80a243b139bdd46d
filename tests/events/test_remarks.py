"""What lands all the same, but is said: placeholders for a missing date, later facts of a day that has not come."""

import pytest

from churnml.events import ingest
from churnml.events.sources.mapping import sources_of
from small import NOW

CUSTOMERS = "customer_id occurred_at\nann 2020-01-01"


def warned(report):
    return [(f.column, f.rule, f.count) for f in report.of("warning")]


@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
@pytest.mark.parametrize("day", ["1900-01-01", "1904-01-01", "1970-01-01", "1969-12-31T19:00:00-05:00"])
def test_a_day_that_stands_for_no_date_is_warned_of(tiny, zone, day):
    customers = f"customer_id occurred_at\nann {day}\nbob 1970-02-01"
    report = tiny.with_config(time_zone=zone).land(customers=customers).tables[0]
    assert warned(report) == [("occurred_at", "looks like a placeholder for a missing date", 1)]
    assert report.findings[0].examples[0]["row"] == 1


def test_a_day_before_all_others_is_set_aside(tiny):
    report = tiny.land(customers="customer_id occurred_at\nann 1899-12-30\nbob 0001-01-01").tables[0]
    assert (report.landed, report.quarantined) == (0, 2)


def test_seconds_taken_for_milliseconds_are_warned_of(tiny):
    tiny.file("c.csv", "customer_id,at\nann,1620000000\n")
    yaml = "sources: [{table: customers, file: c.csv, columns: {occurred_at: {from: at, unit: epoch_milliseconds}}}]"
    sources = sources_of(tiny.file("s.yaml", yaml), "UTC")
    (finding,) = ingest(tiny.workspace, tiny.catalogue, sources, tiny.config, NOW).tables[0].findings
    assert (finding.kind, finding.remedy) == (
        "warning",
        "correct it, or its `unit` in sources.yaml, unless that is meant",
    )


def test_a_later_fact_of_a_day_that_has_not_come_is_warned_of(tiny):
    tickets = (
        "customer_id occurred_at ticket_id resolved_at\nann 2021-08-01 t1 2099-01-01\nann 2021-08-01 t2 2021-09-18"
    )
    report = tiny.land(customers=CUSTOMERS, tickets=tickets).tables[1]
    assert warned(report) == [("resolved_at", "lies in the future; no cutoff before it sees it", 1)]


def test_a_contract_may_end_at_a_day_that_has_not_come(tiny):
    subscriptions = "customer_id occurred_at subscription_id amount ended_at\nann 2021-08-01 s1 9 2099-01-01"
    assert warned(tiny.land(customers=CUSTOMERS, subscriptions=subscriptions).tables[1]) == []
