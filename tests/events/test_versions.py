"""Tomorrow's export, by worked examples: what came again equal, with one more fact, in a newer version, or wrong."""

from datetime import UTC, datetime

import pyarrow.parquet as pq
import pytest

from churnml.errors import DataRefusedError
from churnml.events import current, history, ingest
from churnml.events.clock import DAY, microseconds
from churnml.events.of_customers import of_customers
from churnml.events.sources.files import file_source
from small import NOW

CUSTOMERS = "customer_id occurred_at region\nann 2020-01-01 north\nbob 2020-01-01 south"
TICKET = "customer_id occurred_at ticket_id kind resolved_at reopened_at"
CONTRACT = "customer_id occurred_at subscription_id plan amount renews_at ended_at end_reason"
TOMORROW = NOW + DAY


def at(*when):
    """Return an instant in UTC."""
    return microseconds(datetime(*when, tzinfo=UTC))


def landed(tiny, table):
    """Return the landed rows of a table, in order of landing."""
    files = [tiny.workspace.root / part.path for part in tiny.catalogue.parts(table)]
    return [row for file in files for row in pq.read_table(file).to_pylist()]


def known(tiny, name, cutoff, *columns):
    """Return what is known of one table, or later fact, at a cutoff."""
    return history(tiny.store, 0, [cutoff], {name: columns}).facts[name].known_by(cutoff)


@pytest.fixture
def shop(tiny):
    """A workspace with two customers and an order."""
    tiny.land(customers=CUSTOMERS, orders="customer_id occurred_at order_id amount\nann 2020-02-01 o1 10")
    return tiny


def test_a_ticket_now_resolved_is_the_same_ticket_with_one_more_fact(shop):
    shop.land(tickets=f"{TICKET}\nann 2021-09-10 t1 complaint - -")
    report = shop.land(TOMORROW, tickets=f"{TICKET}\nann 2021-09-10 t1 complaint 2021-09-15 -").tables[0]
    assert (report.landed, report.fills, report.skipped, report.quarantined) == (1, 1, 0, 0)
    assert len(known(shop, "tickets", TOMORROW + 1, "kind").event_at) == 1
    assert len(known(shop, "tickets.resolved_at", TOMORROW - 1).event_at) == 0
    assert len(known(shop, "tickets.resolved_at", TOMORROW).event_at) == 1


def test_a_later_fact_of_a_first_landing_is_known_after_its_own_time(shop):
    shop.land(tickets=f"{TICKET}\nann 2021-03-01 t1 complaint 2021-03-05 -")
    assert len(known(shop, "tickets.resolved_at", at(2021, 3, 5)).event_at) == 0
    assert known(shop, "tickets.resolved_at", at(2021, 3, 5) + 1).event_at.tolist() == [at(2021, 3, 1)]


def test_a_later_fact_that_changes_is_a_conflict_and_the_old_row_stands(shop):
    shop.land(tickets=f"{TICKET}\nann 2021-03-01 t1 complaint 2021-03-05 -")
    report = shop.land(TOMORROW, tickets=f"{TICKET}\nann 2021-03-01 t1 complaint 2021-03-06 -").tables[0]
    assert (report.landed, report.quarantined) == (0, 1)
    assert (
        report.findings[0].examples[0]["value"]
        == "t1 differs in resolved_at (2021-03-05 00:00:00Z, now 2021-03-06 00:00:00Z)"
    )
    assert [row["resolved_at"] for row in landed(shop, "tickets")] == [at(2021, 3, 5)]


def test_an_older_export_of_a_ticket_that_is_resolved_by_now_says_nothing_new(shop):
    shop.land(tickets=f"{TICKET}\nann 2021-03-01 t1 complaint 2021-03-05 -")
    report = shop.land(TOMORROW, tickets=f"{TICKET}\nann 2021-03-01 t1 complaint - -").tables[0]
    assert (report.landed, report.skipped, report.quarantined) == (0, 1, 0)


def test_a_ticket_whose_kind_changed_keeps_the_first_and_takes_what_came_later_with_a_warning(shop):
    shop.land(tickets=f"{TICKET}\nann 2021-03-01 t1 complaint - -")
    report = shop.land(TOMORROW, tickets=f"{TICKET}\nann 2021-03-01 t1 question 2021-03-05 -").tables[0]
    assert (report.landed, report.fills, report.quarantined) == (1, 1, 0)
    assert [(f.kind, f.rule) for f in report.findings] == [("warning", "was first told otherwise")]
    assert report.findings[0].examples[0]["value"] == "t1 differs in kind (complaint, now question)"
    facts = history(shop.store, 0, [TOMORROW], {"tickets": ("kind",)}).facts["tickets"]
    assert [facts.words["kind"][code] for code in facts.columns["kind"]] == ["complaint"]


def test_a_ticket_whose_kind_changed_and_nothing_else_is_skipped_with_a_warning(shop):
    shop.land(tickets=f"{TICKET}\nann 2021-03-01 t1 complaint - -")
    report = shop.land(TOMORROW, tickets=f"{TICKET}\nann 2021-03-01 t1 question - -").tables[0]
    assert (report.landed, report.skipped, report.quarantined) == (0, 1, 0)
    assert [(f.kind, f.count) for f in report.findings] == [("warning", 1)]


def test_a_ticket_of_another_customer_is_a_conflict(shop):
    shop.land(tickets=f"{TICKET}\nann 2021-03-01 t1 complaint - -")
    report = shop.land(TOMORROW, tickets=f"{TICKET}\nbob 2021-03-01 t1 complaint 2021-03-05 -").tables[0]
    assert [(f.rule, f.count) for f in report.findings] == [("must not contradict the row that stands", 1)]


@pytest.mark.parametrize(
    "table, row, otherwise, remedy",
    [
        (
            "orders",
            "occurred_at order_id amount\n ann 2021-03-01 o1 5",
            "\n ann 2021-03-01 o1 6",
            "bring the difference",
        ),
        ("tickets", "occurred_at ticket_id\n ann 2021-03-01 t1", "\n bob 2021-03-01 t1", "correct the export"),
    ],
)
def test_only_where_rows_add_up_can_the_difference_be_a_row_of_its_own(shop, table, row, otherwise, remedy):
    head = row.partition("\n")[0]
    shop.land(**{table: f"customer_id {row}"})
    report = shop.land(TOMORROW, **{table: f"customer_id {head}{otherwise}"}).tables[0]
    assert report.quarantined == 1
    assert remedy in report.findings[0].remedy


def test_facts_of_one_ticket_may_come_one_by_one_each_known_from_its_landing(shop):
    shop.land(tickets=f"{TICKET}\nann 2021-03-01 t1 complaint - -")
    shop.land(TOMORROW, tickets=f"{TICKET}\nann 2021-03-01 t1 complaint 2021-03-05 -")
    shop.land(TOMORROW + DAY, tickets=f"{TICKET}\nann 2021-03-01 t1 complaint 2021-03-05 2021-03-09")
    assert known(shop, "tickets.resolved_at", TOMORROW).event_at.tolist() == [at(2021, 3, 1)]
    assert len(known(shop, "tickets.reopened_at", TOMORROW + DAY - 1).event_at) == 0
    assert len(known(shop, "tickets.reopened_at", TOMORROW + DAY).event_at) == 1
    assert len(known(shop, "tickets", TOMORROW + DAY, "kind").event_at) == 1


def orders_known_at(shop, *cutoffs):
    """Return how many orders are known at each cutoff."""
    return [len(known(shop, "orders", cutoff, "amount").event_at) for cutoff in cutoffs]


def test_history_that_landed_as_news_is_dated_back_when_it_comes_again_as_history(shop):
    late = shop.file("late.csv", "customer_id,occurred_at,order_id,amount\nann,2020-03-01,o2,5\nbob,2020-04-01,o3,6\n")
    shop.ingest("orders", late, TOMORROW)
    assert orders_known_at(shop, at(2021, 1, 1), TOMORROW) == [1, 3]
    report = shop.ingest("orders", late, TOMORROW + DAY, backfill=True)
    assert [(one.landed, one.skipped) for one in report.tables] == [(0, 2)]
    assert orders_known_at(shop, at(2021, 1, 1), TOMORROW) == [3, 3]


def test_what_said_when_it_was_learned_is_not_dated_back(shop):
    rows = "customer_id,occurred_at,ingested_at,order_id,amount\nann,2020-03-01,2021-08-01,o2,5\n"
    shop.ingest("orders", shop.file("dated.csv", rows), TOMORROW)
    again = shop.file("undated.csv", "customer_id,occurred_at,order_id,amount\nann,2020-03-01,o2,5\n")
    shop.ingest("orders", again, TOMORROW + DAY, backfill=True)
    assert orders_known_at(shop, at(2021, 1, 1)) == [1]


def test_a_row_learned_before_it_happened_is_warned_of(shop):
    rows = "customer_id,occurred_at,ingested_at,order_id,amount\nann,2020-03-01,2020-02-01,o2,5\n"
    report = shop.ingest("orders", shop.file("early.csv", rows), TOMORROW).tables[0]
    assert [(f.kind, f.column, f.rule.split(";")[0]) for f in report.findings] == [
        ("warning", "ingested_at", "lies before `occurred_at`")
    ]


def test_a_corrected_amount_is_a_conflict(shop):
    report = shop.land(TOMORROW, orders="customer_id occurred_at order_id amount\nann 2020-02-01 o1 11").tables[0]
    assert report.findings[0].examples[0]["value"] == "o1 differs in amount (10.0, now 11.0)"
    assert [row["amount"] for row in landed(shop, "orders")] == [100_000]


def test_a_customer_who_moved_is_a_newer_version_known_from_its_landing(shop):
    report = shop.land(TOMORROW, customers=CUSTOMERS.replace("north", "west")).tables[0]
    assert (report.landed, report.newer, report.skipped) == (1, 1, 1)
    facts = history(shop.store, 0, [TOMORROW - 1, TOMORROW], {"customers": ("region",)}).facts["customers"]
    names = [[facts.words["region"][facts.columns["region"][row]] for row in rows] for rows in current(facts, [TOMORROW - 1, TOMORROW])]  # fmt: skip  # noqa: E501
    assert sorted(names[0]) == ["north", "south"]
    assert sorted(names[1]) == ["south", "west"]


def test_another_first_contact_of_a_known_customer_is_a_newer_version(shop):
    report = shop.land(TOMORROW, customers="customer_id occurred_at region\nann 2020-03-01 north\neve 2020-03-01 east")
    assert [(one.landed, one.newer, one.skipped) for one in report.tables] == [(2, 1, 0)]


def test_the_same_customers_again_in_another_file_change_nothing(shop):
    first, *rows = CUSTOMERS.splitlines()
    report = shop.land(TOMORROW, customers="\n".join([first, *reversed(rows)]))
    assert [(one.landed, one.skipped) for one in report.tables] == [(0, 2)]
    assert report.batch_id == 2  # so that the file is known from now on
    assert len(landed(shop, "customers")) == 2


def test_a_column_that_a_later_file_lacks_says_nothing(shop):
    order = "customer_id occurred_at order_id amount"
    shop.land(TOMORROW, orders=f"{order} channel\nann 2020-03-01 o2 20 web")
    report = shop.land(TOMORROW + DAY, orders=f"{order}\nann 2020-03-01 o2 20\nann 2020-03-02 o3 30").tables[0]
    assert (report.landed, report.skipped, report.quarantined) == (1, 1, 0)


def test_a_column_that_a_later_file_adds_does_not_change_the_rows_that_stand(shop):
    report = shop.land(TOMORROW, orders="customer_id occurred_at order_id amount channel\nann 2020-02-01 o1 10 web")
    assert (report.tables[0].landed, report.tables[0].skipped, report.tables[0].quarantined) == (0, 1, 0)
    assert report.tables[0].notes[-1].startswith("1 row tells something that the rows which stand leave empty")


def names_of(shop, cutoff):
    """Return region and birth year of each customer as known at a cutoff."""
    facts = history(shop.store, 0, [cutoff], {"customers": ("region", "birth_year")}).facts["customers"]
    rows = current(facts, [cutoff])[0]
    regions = [facts.words["region"][facts.columns["region"][row]] for row in rows]
    return sorted(zip(regions, facts.columns["birth_year"][rows].tolist(), strict=True))


def test_a_version_keeps_what_its_source_has_no_column_for(shop):
    report = shop.land(TOMORROW, customers="customer_id occurred_at birth_year\nann 2020-01-01 1980").tables[0]
    assert (report.landed, report.newer, report.quarantined) == (1, 1, 0)
    assert ("north", 1980.0) in names_of(shop, TOMORROW)


def test_two_sources_that_tell_of_the_same_customers_make_one_version(tiny):
    age = tiny.file("ages.csv", "customer_id,occurred_at,birth_year\nann,2020-01-01,1980\nbob,2020-01-01,1990\n")
    home = tiny.file("homes.csv", "customer_id,occurred_at,region\nann,2020-01-01,north\nbob,2020-01-01,south\n")
    sources = [file_source("customers", path, "UTC") for path in (age, home)]
    report = ingest(tiny.workspace, tiny.catalogue, sources, tiny.config, NOW)
    assert [(one.landed, one.skipped, one.quarantined) for one in report.tables] == [(0, 2, 0), (2, 0, 0)]
    tiny.land(orders="customer_id occurred_at order_id amount\nann 2020-02-01 o1 10")
    assert names_of(tiny, NOW) == [("north", 1980.0), ("south", 1990.0)]


def test_a_customer_with_two_first_contacts_in_one_landing_is_warned_of(tiny):
    report = tiny.land(customers="customer_id occurred_at\nann 2020-01-01\nbob 2020-01-01\nann 2021-01-01").tables[0]
    assert (report.landed, report.quarantined) == (3, 0)
    assert [(f.kind, f.examples[0]["row"], f.examples[0]["value"]) for f in report.findings] == [
        ("warning", 3, "2020-01-01 00:00:00 \N{RIGHTWARDS ARROW} 2021-01-01 00:00:00")
    ]


def test_corrected_amounts_among_many_rows_do_not_refuse_the_file(tiny):
    head, amounts = "customer_id occurred_at order_id amount", range(100)
    strict = tiny.with_config(max_bad_share=0.01)
    strict.land(customers=CUSTOMERS, orders="\n".join([head, *(f"ann 2020-02-01 o{n} {n}" for n in amounts)]))
    changed = (f"ann 2020-02-01 o{n} {n + 1 if n < 40 else n}" for n in amounts)
    report = strict.land(TOMORROW, orders="\n".join([head, *changed, "ann 2020-03-01 new 5"])).tables[0]
    assert (report.landed, report.skipped, report.quarantined) == (1, 60, 40)


def test_a_file_that_mostly_contradicts_what_stands_is_refused(tiny):
    head, strict = "customer_id occurred_at order_id amount", tiny.with_config(max_bad_share=0.01)
    strict.land(customers=CUSTOMERS, orders="\n".join([head, *(f"ann 2020-02-01 o{n} {n}" for n in range(10))]))
    with pytest.raises(DataRefusedError, match="must not contradict the row that stands"):
        strict.land(TOMORROW, orders="\n".join([head, *(f"ann 2020-02-01 o{n} {n + 1}" for n in range(10))]))


def test_who_moves_back_is_a_third_version(shop):
    shop.land(TOMORROW, customers=CUSTOMERS.replace("north", "west"))
    report = shop.land(TOMORROW + DAY, customers=CUSTOMERS + "\ncy 2020-01-01 east")
    assert [(one.landed, one.newer, one.skipped) for one in report.tables] == [(2, 1, 1)]


def test_two_rows_for_one_customer_in_a_first_file_are_a_conflict(tiny):
    report = tiny.land(customers="customer_id occurred_at region\nann 2020-01-01 north\nann 2020-01-01 west").tables[0]
    assert (report.landed, report.quarantined) == (1, 1)
    assert report.findings[0].examples[0]["value"] == "ann differs in region (north, now west)"


def test_a_contract_renewed_is_a_newer_version(shop):
    shop.land(subscriptions=f"{CONTRACT}\nann 2021-01-01 s1 basic 10 2022-01-01 - -")
    report = shop.land(TOMORROW, subscriptions=f"{CONTRACT}\nann 2021-01-01 s1 basic 10 2023-01-01 - -").tables[0]
    assert (report.landed, report.newer, report.quarantined) == (1, 1, 0)
    assert len(known(shop, "subscriptions", TOMORROW, "plan").event_at) == 2


def test_a_contract_holds_until_its_end_was_known(shop):
    shop.land(subscriptions=f"{CONTRACT}\nann 2021-01-01 s1 basic 10 2022-01-01 - -")
    shop.land(TOMORROW, subscriptions=f"{CONTRACT}\nann 2021-01-01 s1 basic 10 2022-01-01 2021-09-01 price")
    cutoffs = [at(2021, 1, 1), at(2021, 6, 1), TOMORROW - 1, TOMORROW]
    block = history(shop.store, 0, cutoffs, {})
    ann = block.customer_ids.tolist().index("ann")
    assert block.contracts.held(cutoffs)[:, ann].tolist() == [False, True, True, False]


def test_versions_of_a_contract_in_one_file_are_told_apart_by_when_they_began(shop):
    report = shop.land(
        subscriptions=f"{CONTRACT}\nann 2020-01-01 s1 basic 10 2021-01-01 - -\nann 2021-01-01 s1 gold 20 2022-01-01 - -"
    ).tables[0]
    assert (report.landed, report.quarantined) == (2, 0)


def test_a_score_without_the_time_of_its_answer_is_set_aside(shop):
    report = shop.land(surveys="customer_id occurred_at survey_id instrument score\nann 2021-03-01 v1 csat 5").tables[0]
    assert [(f.column, f.rule) for f in report.findings] == [("score", "must have a `answered_at`")]


def test_a_return_of_an_order_that_has_not_landed_is_warned_of_and_lands(shop):
    report = shop.land(returns="customer_id occurred_at order_id amount\nann 2021-03-01 o1 5\nann 2021-03-01 o9 5")
    findings = report.tables[0].findings
    assert [(f.kind, f.rule, f.count) for f in findings] == [("warning", "is not among the orders that have landed", 1)]
    assert report.tables[0].landed == 2


def test_a_local_time_that_never_was_or_was_twice_lands_with_a_warning(shop):
    berlin = shop.with_config(time_zone="Europe/Berlin")
    lines = "ann,2021-03-28 02:30,x1,5\nann,2020-10-25 02:30,x2,5\nann,2021-03-28 03:30,x3,5"
    path = shop.file("dst.csv", f"customer_id,occurred_at,order_id,amount\n{lines}\n")
    report = berlin.ingest("orders", path, TOMORROW).tables[0]
    assert [(f.examples[0]["row"], f.rule.split(":")[0]) for f in report.of("warning")] == [
        (1, "did not exist"),
        (2, "was there twice"),
    ]
    assert report.landed == 3


def test_an_amount_finer_than_a_ten_thousandth_lands_rounded_with_a_warning(shop):
    path = shop.file(
        "fine.csv", "customer_id,occurred_at,order_id,amount\nann,2021-03-01,x,1.23456\nann,2021-03-01,y,1.20000\n"
    )
    report = shop.ingest("orders", path, TOMORROW).tables[0]
    assert [(f.count, f.examples[0]["value"]) for f in report.of("warning")] == [(1, "1.23456")]


def test_contracts_brought_open_and_ended_in_one_landing_have_ended(shop):
    rows = "\n".join(f"{who} 2021-01-01 s{n} basic 10 2022-01-01" for n in range(40) for who in ("ann",))
    told = f"{CONTRACT}\n" + "\n".join(f"{row} - -" for row in rows.splitlines())
    told += "\n" + "\n".join(f"{row} 2021-03-01 price" for row in rows.splitlines())
    report = shop.land(subscriptions=told).tables[0]
    assert (report.landed, report.fills, report.quarantined) == (80, 40, 0)
    block = history(shop.store, 0, [at(2021, 6, 1)], {"subscriptions": ("plan",)})
    assert not block.contracts.held([at(2021, 6, 1)]).any()
    assert len(block.facts["subscriptions"].event_at) == 40


def test_a_wrong_row_does_not_make_the_right_one_behind_it_wrong(shop):
    survey = "customer_id occurred_at ticket_id kind first_response_at resolved_at"
    shop.land(tickets=f"{survey}\nann 2021-01-01 t1 complaint 2021-01-02 -")
    rows = "ann 2021-01-01 t1 complaint 2021-01-03 2021-01-09\nann 2021-01-01 t1 complaint 2021-01-02 2021-01-05"
    report = shop.land(TOMORROW, tickets=f"{survey}\n{rows}").tables[0]
    assert (report.landed, report.fills, report.quarantined) == (1, 1, 1)


def test_a_corrected_first_contact_is_the_current_version(shop):
    shop.land(TOMORROW, customers="customer_id occurred_at region\nann 2019-06-01 west")
    facts = history(shop.store, 0, [TOMORROW], {"customers": ("region",)}).facts["customers"]
    names = [facts.words["region"][facts.columns["region"][row]] for row in current(facts, [TOMORROW])[0]]
    assert sorted(names) == ["south", "west"]


def test_a_first_version_that_comes_again_without_a_column_is_no_newer_one(shop):
    shop.land(
        TOMORROW,
        customers="customer_id occurred_at ingested_at region city\ncat 2021-01-01 2021-01-01 north A\n"
        "cat 2021-01-09 2021-01-20 south -",
    )
    again = "customer_id occurred_at ingested_at region\ncat 2021-01-01 2021-03-01 north"
    assert shop.land(TOMORROW + DAY, customers=again).tables[0].landed == 0
    both = f"{again}\ndan 2021-01-01 2021-01-01 north\ndan 2021-01-02 2021-01-05 east"
    assert shop.land(TOMORROW + 2 * DAY, customers=both).tables[0].landed == 2


def test_why_a_contract_ended_is_not_carried_over_once_it_has_not(shop):
    ended = "customer_id subscription_id occurred_at ingested_at amount ended_at end_reason\n"
    shop.land(subscriptions=f"{ended}ann s1 2021-01-01 2021-01-01 10 2021-02-01 price")
    reopened = "customer_id subscription_id occurred_at ingested_at amount ended_at\n"
    report = shop.land(TOMORROW, subscriptions=f"{reopened}ann s1 2021-01-01 2021-02-10 10 -").tables[0]
    assert (report.landed, report.quarantined) == (1, 0)
    assert [(row["ended_at"], row["end_reason"]) for row in landed(shop, "subscriptions")] == [
        (at(2021, 2, 1), "price"),
        (None, None),
    ]


def without(tiny, name, column):
    """Take a column out of what has landed of a table, as an earlier version had landed it."""
    (part,) = tiny.catalogue.parts(name)
    path = tiny.workspace.root / part.path
    pq.write_table(pq.read_table(path).drop_columns([column]), path)


def test_what_landed_before_a_column_was_known_is_compared_and_read(shop):
    shop.land(contacts="customer_id occurred_at contact_id action\nann 2020-03-01 k1 call")
    without(shop, "contacts", "result")
    more = "customer_id occurred_at contact_id action result\nann 2020-03-01 k1 call -\nann 2020-03-02 k2 call reached"
    (told,) = shop.land(now=TOMORROW, contacts=more).tables
    assert (told.landed, told.skipped, told.quarantined) == (1, 1, 0)
    asked = {"contacts": ("result",)}
    for store in (shop.store, of_customers(shop.store, ["ann"])):
        seen = history(store, 0, [TOMORROW + DAY], asked).facts["contacts"]
        assert results(seen) == ["", "reached"]


def test_customers_read_alone_have_contracts_and_columns_that_came_later(shop):
    shop.land(subscriptions=f"{CONTRACT}\nann 2020-01-01 s1 gold 10 2021-01-01 - -")
    shop.land(now=TOMORROW, contacts="customer_id occurred_at contact_id action\nann 2020-03-01 k1 call")
    without(shop, "contacts", "result")
    alone = of_customers(shop.store, ["ann"])
    asked = {"contacts": ("result",), "subscriptions": ("plan",), "subscriptions.ended_at": ("end_reason",)}
    facts = history(alone, 0, [TOMORROW + DAY], asked).facts
    assert facts["subscriptions"].words["plan"] == ("gold",)
    assert results(facts["contacts"]) == [""]


def results(seen):
    """Return what contacts came to, a word each, empty where none is told."""
    return sorted(seen.words["result"][code] if code >= 0 else "" for code in seen.columns["result"])
