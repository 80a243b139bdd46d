"""Known exports land as they mean it, down to the ugly details; the sample files stand in preset_files.py."""

import hashlib

import duckdb
import pytest
from preset_files import (
    EVENTS,
    HUBSPOT_CONTACTS,
    METRICS,
    RESPONSES,
    SALESFORCE_ACCOUNTS,
    SALESFORCE_CONTACTS,
    SHOPIFY_CUSTOMERS,
    SHOPIFY_ORDERS,
    STRIPE_CUSTOMERS,
    STRIPE_INVOICES,
    STRIPE_SUBSCRIPTIONS,
    TICKETS,
    USERS,
    ZENDESK_VIEW,
    filled,
    json_lines,
    open_plainly,
    write_events,
)

from churnml.errors import DataRefusedError, DependencyError, UsageError
from churnml.events.schema import TABLES
from churnml.events.sources import Format, Rows
from churnml.events.sources.presets import INSTALLED, PRESETS, preset_sources
from churnml.events.sources.presets.cdnow import CDNOW, cdnow_sources
from churnml.events.sources.presets.completejourney import COMPLETE_JOURNEY

CUPS = "https://shop.example/cups"
EVERY = [*PRESETS.values(), CDNOW, COMPLETE_JOURNEY]
GUEST = hashlib.md5(b"guest@example.com", usedforsecurity=False).hexdigest()
A = hashlib.md5(b"a@example.com", usedforsecurity=False).hexdigest()
B = hashlib.md5(b"b@example.com", usedforsecurity=False).hexdigest()
S = hashlib.md5(b"s@example.com", usedforsecurity=False).hexdigest()


@pytest.fixture
def shopify(tmp_path):
    return filled(tmp_path, PRESETS["shopify"], orders=SHOPIFY_ORDERS, customers=SHOPIFY_CUSTOMERS)


@pytest.fixture
def stripe(tmp_path):
    files = {"customers": STRIPE_CUSTOMERS, "subscriptions": STRIPE_SUBSCRIPTIONS, "invoices": STRIPE_INVOICES}
    return filled(tmp_path, PRESETS["stripe"], **files)


def test_a_shopify_order_is_told_by_its_first_row(shopify):
    assert shopify.table("orders") == [
        "00777 | 2024-01-15T15:00:00Z | #1001 | 55.00 | 10.00 | web | EUR",
        f"{GUEST} | 2024-01-16T08:00:00Z | #1002 | 30.00 | 0.00 | pos | EUR",
        "00777 | 2024-01-31T23:30:00Z | #1003 | 20.00 | 0.00 | web | EUR",
    ]


def test_every_shopify_line_item_is_a_line_of_its_order(shopify):
    assert shopify.table("order_lines") == [
        "00777 | 2024-01-15T15:00:00Z | #1001 | 1 | CUP-1 | 2 | 40.0000 | 0.00 | EUR",
        "00777 | 2024-01-15T15:00:00Z | #1001 | 2 | Plate | 1 | 15.0000 | 5.00 | EUR",
        f"{GUEST} | 2024-01-16T08:00:00Z | #1002 | 1 | BOWL | 1 | 30.0000 | 0.00 | EUR",
        "00777 | 2024-01-31T23:30:00Z | #1003 | 1 | CUP-1 | 1 | 20.0000 | 0.00 | EUR",
    ]


def test_a_shopify_customer_bears_the_id_of_the_customers_export_and_a_guest_a_hash(shopify):
    assert shopify.table("customers") == [
        "00777 | 2024-01-15T15:00:00Z | CH-BE | Bern | Ada Adams | +41000000000 | A@example.com",
        f"{GUEST} | 2024-01-16T08:00:00Z | AT | Wien | G G | - | Guest@Example.com",
    ]


def test_a_shopify_refund_counts_only_where_the_export_dates_it(shopify):
    assert shopify.table("returns") == [
        f"{GUEST} | 2024-01-18T11:00:00Z | #1002 | refund | 30.00 | order cancelled | EUR"
    ]
    assert shopify.rows("returns").notes == ("refunds left out, the export says that they were made but not when: 1",)


def test_an_undated_yes_counts_from_first_contact_and_an_undated_no_from_when_the_file_was_written(tmp_path, shopify):
    assert shopify.table("consents") == ["00777 | 2024-01-15T15:00:00Z | marketing | email | true"]
    refusing = SHOPIFY_CUSTOMERS.replace("A@example.com,yes", "A@example.com,no")
    shop = filled(tmp_path, PRESETS["shopify"], orders=SHOPIFY_ORDERS, customers=refusing)
    assert shop.table("consents") == ["00777 | 2024-03-01T10:00:00Z | marketing | email | false"]
    assert shop.rows("consents").notes[0].endswith("a no from when the file was written, 2024-03-01T10:00:00Z")


def test_what_shopify_leaves_out_is_said_with_its_number(shopify):
    assert shopify.rows("orders").notes == (
        "orders without an e-mail address left out, no customer can be told: 1",
        "orders voided or expired left out, they were never paid: 1",
        "orders not paid yet left out, bring them again when they are: 1",
    )
    assert shopify.rows("customers").notes[1].endswith("whom the export does not date: 1")


def test_shopify_orders_alone_name_everyone_by_a_hash(tmp_path):
    alone = filled(tmp_path, PRESETS["shopify"], orders=SHOPIFY_ORDERS)
    assert set(alone.sources) == {"customers", "orders", "order_lines", "returns"}
    assert alone.table("orders", "customer_id order_id") == [f"{A} | #1001", f"{GUEST} | #1002", f"{A} | #1003"]


def test_a_broken_shopify_quantity_is_left_for_the_rules_to_refuse(tmp_path):
    broken = SHOPIFY_ORDERS.replace(",1,Bowl,30.00,", ",one,Bowl,30.00,")
    shop = filled(tmp_path, PRESETS["shopify"], orders=broken)
    assert shop.table("order_lines", "order_id quantity amount")[2] == "#1002 | one | one x 30.00 x -0.00"


def test_a_shopify_time_that_is_none_is_left_for_the_rules_to_refuse(tmp_path):
    broken = SHOPIFY_ORDERS.replace(",,0.00,2024-01-16 09:00:00 +0100,", ",,0.00,16/01/2024 09:00,")
    shop = filled(tmp_path, PRESETS["shopify"], orders=broken)
    assert shop.table("orders", "order_id occurred_at")[1] == "#1002 | 16/01/2024 09:00"


def test_a_stripe_subscription_is_a_version_of_a_contract(stripe):
    columns = "subscription_id customer_id occurred_at plan amount period started_at renews_at ended_at end_reason"
    assert stripe.table("subscriptions", columns) == [
        "sub_1 | cus_1 | 2023-06-02 10:00 | Pro | 29.00 | month | 2023-01-02 10:00 | 2024-03-02 10:00 | - | -",
        "sub_2 | cus_2 | 2023-02-03 11:30 | Basic | 30.00 | quarter | 2023-02-03 11:30 | - | 2023-08-03 11:30 | unpaid",
        "sub_3 | cus_2 | 2023-09-01 00:00 | Basic | 100.00 | year | 2023-09-01 00:00 | - | 2024-09-01 00:00 | wish",
    ]


def test_a_stripe_export_without_the_flag_tells_who_leaves_by_when_they_cancelled(tmp_path):
    asked = "sub_1,cus_1,29,active,month,2023-01-02 10:00,2024-03-02 10:00,2024-02-05 08:00,\n"
    gone = "sub_2,cus_2,10,canceled,month,2023-01-02 10:00,2024-03-02 10:00,2024-02-06 08:00,\n"
    stays = "sub_3,cus_3,10,active,month,2023-01-02 10:00,2024-03-02 10:00,,\n"
    head = "id,Customer ID,Amount,Status,Interval,Created (UTC),Current Period End (UTC),Canceled At (UTC),Plan\n"
    crm = filled(tmp_path, PRESETS["stripe"], subscriptions=head + asked + gone + stays)
    assert crm.table("subscriptions", "subscription_id renews_at ended_at") == [
        "sub_1 | - | 2024-03-02 10:00",
        "sub_2 | - | 2024-02-06 08:00",
        "sub_3 | 2024-03-02 10:00 | -",
    ]


def test_stripe_times_are_utc_whatever_the_workspace_says(stripe):
    assert {source.time_zone for source in stripe.sources.values()} == {"UTC"}


def test_stripe_says_what_it_left_out_and_what_to_check(stripe):
    assert stripe.rows("subscriptions").notes == (
        "subscriptions left out, their first payment never came: 1",
        "subscriptions of a quantity other than one, check that `Amount` is their whole price: 1",
    )


def test_a_stripe_invoice_is_a_payment_or_a_failed_one(stripe):
    assert stripe.table("interactions") == [
        "cus_1 | 2023-01-02 10:01 | payment | in_1 | sub_1",
        "cus_2 | 2023-06-01 00:00 | payment_failed | in_2 | sub_2",
    ]
    assert stripe.rows("interactions").notes == ("invoices left out, neither paid nor uncollectible, or of nothing: 2",)


def test_stripe_customers_keep_their_ids(stripe):
    assert stripe.table("customers") == [
        "cus_1 | 2023-01-02 10:00 | One | - | one@example.com",
        "cus_2 | 2023-02-03 11:30 | the second | - | -",
    ]


@pytest.mark.parametrize("shape", ["lines", "lists", "wrapped lists"])
def test_google_analytics_events_are_interactions_in_every_shape_bigquery_writes(tmp_path, shape):
    parquet = write_events(tmp_path / "events.parquet", wrapped=shape == "wrapped lists")
    site = filled(tmp_path, PRESETS["google_analytics"], events=json_lines(EVENTS) if shape == "lines" else parquet)
    assert site.table("interactions") == [
        f"00777 | 1709632800000001 | view | page_view/9.1.2.3/2d88b70e | 1709632790 | web | {CUPS} | - | - | 3",
        f"{A} | 1709632801000000 | cart | add_to_cart/91f493ab | - | app | CUP-1 | kitchen | - | -",
        "00777 | 1709632802000000 | search | view_search_results/f12c29f5 | - | web | - | - | blue cup | -",
        "00777 | 1709632803000000 | quiz_done | quiz_done/f12c29f5 | - | web | - | - | - | -",
    ]


def test_google_analytics_counts_who_was_nobody_and_reads_microseconds(tmp_path):
    rows = filled(tmp_path, PRESETS["google_analytics"], events=json_lines(EVENTS)).rows("interactions")
    assert rows.notes == (
        "events without a user_id left out: 1",
        "purchases and refunds left out, bring them as orders: 1",
    )
    assert rows.formats == {"occurred_at": Format(unit="epoch_microseconds")}


def test_a_zendesk_view_dates_replies_by_their_minutes_across_a_change_of_clocks(tmp_path):
    desk = filled(tmp_path, PRESETS["zendesk_csv"], tickets=ZENDESK_VIEW, zone="Europe/Berlin")
    assert desk.table("tickets") == [
        "00777 | 2024-03-30 23:00 | 41 | problem | mail | high | 2024-03-31T02:00:00Z | 2024-03-31T08:00:00Z",
        f"{S} | 2024-03-01 10:00 | 42 | - | web form | - | - | 2024-03-01 12:00",
        "360003 | 2024-03-02 10:00 | 43 | question | chat | normal | - | -",
    ]
    assert desk.rows("tickets").notes[0].endswith("so `reopened_at` stays empty: 1")


def test_zendesk_minutes_that_are_none_are_left_for_the_rules_to_refuse(tmp_path):
    desk = filled(tmp_path, PRESETS["zendesk_csv"], tickets=ZENDESK_VIEW.replace(",240,600", ",soon,600"))
    assert desk.table("tickets", "ticket_id first_response_at")[0] == "41 | soon"


def test_zendesk_tickets_meet_their_metrics_and_users(tmp_path):
    files = {"tickets": json_lines(TICKETS), "metrics": json_lines(METRICS), "users": json_lines(USERS)}
    assert filled(tmp_path, PRESETS["zendesk_json"], **files).table("tickets") == [
        "00777 | 2024-03-05T10:00:00Z | 41 | problem | email | high | 2024-03-05T11:30:00Z | 2024-03-06T10:00:00Z",
        "360002 | 2024-03-06T10:00:00Z | 42 | - | - | - | - | -",
    ]


def test_zendesk_metrics_may_lie_within_the_ticket(tmp_path):
    ticket = TICKETS[0] | {"metric_set": METRICS[0]}
    desk = filled(tmp_path, PRESETS["zendesk_json"], tickets=json_lines([ticket]))
    assert desk.table("tickets", "customer_id first_response_at") == ["360001 | 2024-03-05T11:30:00Z"]


def test_hubspot_contacts_are_customers_and_only_a_refusal_is_a_consent(tmp_path):
    crm = filled(tmp_path, PRESETS["hubspot"], contacts=HUBSPOT_CONTACTS)
    assert crm.table("customers", "customer_id occurred_at region city acquisition_channel display_name owner") == [
        "901 | 2024-03-12 09:14 | Switzerland | Bern | Organic Search | Ada | Rep One",
        "902 | 2024-03-15 14:30 | - | - | Offline Sources | - | -",
    ]
    assert crm.table("consents") == ["902 | 2024-03-01T10:00:00Z | marketing | email | false"]


def test_salesforce_ids_keep_their_capitals(tmp_path):
    crm = filled(tmp_path, PRESETS["salesforce_contacts"], contacts=SALESFORCE_CONTACTS)
    assert crm.table("customers", "customer_id occurred_at birth_year region display_name") == [
        "003A000001aBcDEFGH | 2024-01-02T03:04:05.000Z | 1980 | BE | Ada Adams",
        "003a000001aBcDEFGH | 2024-01-03 03:04:05 | - | - | Brown",
    ]
    assert crm.rows("customers").notes == ("deleted contacts left out: 1",)
    assert crm.table("consents", "customer_id granted") == ["003A000001aBcDEFGH | false"]


def test_a_salesforce_account_is_a_customer(tmp_path):
    crm = filled(tmp_path, PRESETS["salesforce_accounts"], accounts=SALESFORCE_ACCOUNTS)
    assert crm.table("customers", "customer_id region attributes display_name") == [
        '001A000001xYzABCDE | CH | {"industry":"Energy"} | First "Mill" Ltd'
    ]


def test_delighted_answers_are_surveys_on_their_scale(tmp_path):
    surveys = filled(tmp_path, PRESETS["delighted"], responses=json_lines(RESPONSES))
    assert surveys.table("surveys") == [
        '00777 | 1709632800 | 1 | nps | 0 | 10 | 1709632800 | 9 | fine,\n"really"',
        f"{B} | 1709632900 | 2 | csat | 1 | 5 | 1709632900 | 2 | -",
    ]
    assert surveys.rows("surveys").notes[0].endswith("ces7, stars_five: 1")


def test_cdnow_is_the_cohort_the_papers_count(tmp_path):
    sources = {source.table: source for source in cdnow_sources(sample=False)}
    with duckdb.connect() as connection:
        orders = sources["orders"].rows(connection, tmp_path).relation
        told = orders.aggregate(
            "count(*), count(DISTINCT order_id), count(DISTINCT customer_id), sum(quantity::INTEGER), "
            "min(occurred_at), max(occurred_at)"
        ).fetchall()
    assert told == [(69_659, 69_659, 23_570, 167_881, "19970101", "19980630")]


def test_the_cdnow_sample_is_every_tenth_customer_met_at_the_first_purchase(tmp_path):
    sources = {source.table: source for source in cdnow_sources(sample=True)}
    with duckdb.connect() as connection:
        customers = sources["customers"].rows(connection, tmp_path).relation
        told = customers.aggregate("count(*), min(customer_id), max(occurred_at)").fetchall()
        orders = sources["orders"].rows(connection, tmp_path).relation.filter("source_row = 1").fetchall()
    assert told == [(2_357, "00004", "19970325")]
    assert orders == [("00004", "19970101", "00004/19970101/1", "29.33", "2", 1)]


def test_a_data_set_whose_package_is_missing_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(DependencyError, match="run `pip install lifetimes`"):
        INSTALLED["cdnow"]()


@pytest.mark.parametrize("preset", EVERY, ids=lambda preset: preset.name)
def test_a_preset_says_what_it_is_and_where_its_shape_is_documented(preset):
    assert preset.meaning.endswith(".")
    assert preset.documented.startswith(("https://", "http://"))
    assert set(preset.tables) <= set(TABLES)
    assert all({*filling.roles, *filling.helped_by} <= set(preset.files) for filling in preset.tables.values())


@pytest.mark.parametrize("preset", [*PRESETS.values(), CDNOW], ids=lambda preset: preset.name)
def test_a_preset_gives_columns_of_the_contract_and_no_others(preset, tmp_path):
    texts = {role: ",".join([*names, *preset.optional.get(role, ())]) + "\n" for role, names in preset.files.items()}
    empty = filled(tmp_path, preset, **texts)
    found = {table: set(empty.rows(table).relation.columns) - {"source_row"} for table in empty.sources}
    allowed = {table: {*TABLES[table].names, *(["currency"] if TABLES[table].priced else [])} for table in found}
    assert all(columns <= allowed[table] for table, columns in found.items())
    assert all(column.name in found[table] for table in found for column in TABLES[table].columns if column.required)
    assert {table: empty.table(table) for table in found} == {table: [] for table in preset.tables}


def test_several_files_of_a_role_are_one_and_their_rows_numbered_on(tmp_path):
    first, second = tmp_path / "events_1.jsonl", tmp_path / "events_2.jsonl"
    first.write_text(json_lines(EVENTS[:2]))
    second.write_text(json_lines([EVENTS[2] | {"platform": None}]))
    files = {"events": [first, second]}
    (source,) = preset_sources(PRESETS["google_analytics"], files, "UTC", open_plainly)
    with duckdb.connect() as connection:
        rows = source.rows(connection, tmp_path)
        told = rows.relation.project("source_row, kind, channel").order("source_row").fetchall()
    assert told == [(1, "view", "web"), (2, "cart", "app"), (3, "search", None)]
    assert (source.origin, source.files) == ("events_1.jsonl and 1 more", (first, second))
    assert rows.notes == ("rows are numbered through 2 files: events_1.jsonl from 1, events_2.jsonl from 3",)


def open_with_rejects(path, connection, scratch):
    name, record = f"rejected_{path.stem}", "3::BIGINT AS source_row, 'x' AS found, 'r' AS rule, 'm' AS remedy"
    connection.execute(f"CREATE TEMP TABLE {name} AS SELECT {record}")
    return Rows(open_plainly(path, connection, scratch).relation, rejected=name)


def test_records_that_are_no_rows_are_numbered_on_as_well(tmp_path):
    paths = [tmp_path / "one.csv", tmp_path / "two.csv"]
    paths[0].write_text("Record ID,Email,Create Date\n1,,2024-01-01\n")
    paths[1].write_text("Record ID,Email,Create Date\n2,,2024-01-01\n")
    source, _ = preset_sources(PRESETS["hubspot"], {"contacts": paths}, "UTC", open_with_rejects)
    with duckdb.connect() as connection:
        rejected = source.rows(connection, tmp_path).rejected
        told = connection.execute(f"SELECT source_row, found FROM {rejected} ORDER BY 1").fetchall()
    assert told == [(3, "x"), (6, "x")]


def test_records_of_a_helping_file_that_are_no_rows_are_counted(tmp_path):
    files = {"tickets": tmp_path / "tickets.jsonl", "metrics": tmp_path / "metrics.jsonl"}
    files["tickets"].write_text(json_lines(TICKETS))
    files["metrics"].write_text(json_lines(METRICS))
    given = {role: [path] for role, path in files.items()}
    (source,) = preset_sources(PRESETS["zendesk_json"], given, "UTC", open_with_rejects)
    with duckdb.connect() as connection:
        rows = source.rows(connection, tmp_path)
    assert rows.rejected.startswith("rejected_")
    assert rows.notes[0] == "records of the metrics file that are no rows, left out: 1"


def test_two_sources_on_one_connection_do_not_disturb_each_other(tmp_path):
    connection = duckdb.connect()
    relations = []
    for name in ("one", "two"):
        path = tmp_path / f"{name}.csv"
        path.write_text(f"Id,LastName,Email,CreatedDate\n{name},L,,2024-01-01\n")
        source, _ = preset_sources(PRESETS["salesforce_contacts"], {"contacts": [path]}, "UTC", open_plainly)
        relations.append(source.rows(connection, tmp_path).relation)
    assert [relation.project("customer_id").fetchall() for relation in relations] == [[("one",)], [("two",)]]


def test_columns_are_known_in_any_capitals_and_may_be_fewer(tmp_path):
    crm = filled(tmp_path, PRESETS["hubspot"], contacts="record id,EMAIL,Create date\n007,,2024-01-01 00:00\n")
    assert crm.table("customers", "customer_id occurred_at email") == ["007 | 2024-01-01 00:00 | -"]
    assert crm.table("consents") == []


def test_a_missing_column_is_named_with_those_found_and_the_nearest(tmp_path):
    crm = filled(tmp_path, PRESETS["hubspot"], contacts="Record ID,Email,Created Date\n1,,2024-01-01\n")
    with pytest.raises(DataRefusedError) as refused:
        crm.rows("customers")
    assert str(refused.value) == (
        "contacts.csv: the contacts file of the preset `hubspot` needs the column `Create Date`, found `Record ID`, "
        "`Email`, `Created Date`; did you mean `Created Date`? Export it with all its columns, or map it by hand in "
        "sources.yaml"
    )


def test_an_unknown_role_is_refused_with_the_nearest(tmp_path):
    with pytest.raises(UsageError, match="reads `orders`, `customers`, got `order`; did you mean `orders`"):
        preset_sources(PRESETS["shopify"], {"order": [tmp_path / "x.csv"]}, "UTC", open_plainly)


def test_files_that_fill_no_table_are_refused(tmp_path):
    with pytest.raises(UsageError, match="what is given fills no table: `users`"):
        preset_sources(PRESETS["zendesk_json"], {"users": [tmp_path / "u.jsonl"]}, "UTC", open_plainly)
